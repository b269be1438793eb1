import "./styles/staff-site.css";
import htmx from "htmx.org";
import { startCalculators } from "./lib/calculator";
import { startCodes } from "./lib/code";
import { startCommon } from "./lib/common";
import { startDesk } from "./lib/desk";
import { startKeys } from "./lib/keys";
import { startPolls } from "./lib/poll";
import { startSliders } from "./lib/slider";

htmx.config.includeIndicatorStyles = false; // a style element would break the content policy
htmx.config.allowEval = false;
htmx.config.selfRequestsOnly = true;
document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector<HTMLInputElement>("input[name='csrfmiddlewaretoken']")?.value;
  const detail = (event as CustomEvent<{ headers: Record<string, string> }>).detail;
  if (token) detail.headers["X-CSRFToken"] = token;
});

startCommon();
startSliders();
startCalculators();
startCodes();
startPolls();
startDesk();
startKeys();

const plots = document.querySelectorAll<HTMLElement>("[data-chart]");
if (plots.length) void import("./lib/charts").then(({ startCharts }) => startCharts(plots));

const passkeys = document.querySelectorAll<HTMLFormElement>("form[data-passkey]");
if (passkeys.length) void import("./lib/passkeys").then(({ startPasskeys }) => startPasskeys(passkeys));

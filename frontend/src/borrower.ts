import "./styles/borrower.css";
import { startApp } from "./lib/app";
import { startCalculators } from "./lib/calculator";
import { startCodes } from "./lib/code";
import { startCommon } from "./lib/common";
import { startPolls } from "./lib/poll";
import { startPush } from "./lib/push";
import { startSliders } from "./lib/slider";

startApp(); // before the guard against double sending: a form that is not sent is not guarded
startCommon();
startSliders();
startCalculators();
startCodes();
startPolls();
startPush();

const passkeys = document.querySelectorAll<HTMLFormElement>("form[data-passkey]");
if (passkeys.length) void import("./lib/passkeys").then(({ startPasskeys }) => startPasskeys(passkeys));

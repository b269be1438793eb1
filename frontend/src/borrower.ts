import "./styles/borrower.css";
import { startCalculators } from "./lib/calculator";
import { startCodes } from "./lib/code";
import { startCommon } from "./lib/common";
import { startPolls } from "./lib/poll";
import { startSliders } from "./lib/slider";

startCommon();
startSliders();
startCalculators();
startCodes();
startPolls();

const passkeys = document.querySelectorAll<HTMLFormElement>("form[data-passkey]");
if (passkeys.length) void import("./lib/passkeys").then(({ startPasskeys }) => startPasskeys(passkeys));

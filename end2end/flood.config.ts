import config from "./playwright.config";

// Figures, not checks of behaviour: alone on the machine, by `make check-flood`.
export default { ...config, testDir: "flood", workers: 1, timeout: 300_000 };

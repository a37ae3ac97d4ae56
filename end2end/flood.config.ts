import config from "./playwright.config";

// Figures, not checks of behaviour: alone on the machine, by `make check-flood`.
// No trace: recording the page takes its time from the very thread that is measured.
export default {
  ...config,
  testDir: "flood",
  workers: 1,
  timeout: 300_000,
  use: { ...config.use, trace: "off" as const },
};

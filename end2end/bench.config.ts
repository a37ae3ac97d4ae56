import config from "./playwright.config";

// Figures, not checks of behaviour: alone on the machine, by `make check-flood` and `make bench`.
// No trace: recording the page takes its time from the very thread that is measured.
export default {
  ...config,
  testMatch: "bench/**/*.spec.ts",
  workers: 1,
  timeout: 1_200_000,
  use: { ...config.use, trace: "off" as const },
};

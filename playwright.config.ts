import { defineConfig } from '@playwright/test'
import { chromiumLaunch } from './scripts/chromium.mjs'

const address = 'http://127.0.0.1:4188'

// Two workers: opening a page compiles shaders on one thread, and most of a test is opening its page.
export default defineConfig({
  testDir: 'e2e',
  snapshotPathTemplate: '{testDir}/snapshots/{arg}{ext}',
  timeout: 120_000,
  expect: { timeout: 30_000 },
  workers: 2,
  fullyParallel: true,
  // Measures the main thread, which takes a machine with nothing else to do (CONTRIBUTING.md).
  grepInvert: process.env.MXSCOPE_QUIET ? undefined : /@quiet/,
  forbidOnly: Boolean(process.env.CI),
  reporter: 'list',
  use: {
    baseURL: address,
    testIdAttribute: 'data-test',
    viewport: { width: 1440, height: 900 },
    // Only e2e/offline.spec.ts is about it; elsewhere it would fetch the whole site anew in every test.
    serviceWorkers: 'block',
    launchOptions: chromiumLaunch(),
  },
  webServer: {
    // The headless command too: tests that start it at once would each bundle it.
    command:
      'npx vite build && npx vite build --config vite.cli.config.ts && npx vite preview --host 127.0.0.1 --port 4188 --strictPort',
    url: address,
    reuseExistingServer: false,
    timeout: 120_000,
  },
})

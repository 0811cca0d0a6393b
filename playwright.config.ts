import { defineConfig } from '@playwright/test'
import { chromiumLaunch } from './scripts/chromium.mjs'

const address = 'http://127.0.0.1:4188'

// One worker: the software GPU uses every core for one page already.
export default defineConfig({
  testDir: 'e2e',
  timeout: 120_000,
  expect: { timeout: 30_000 },
  workers: 1,
  forbidOnly: Boolean(process.env.CI),
  reporter: 'list',
  use: {
    baseURL: address,
    testIdAttribute: 'data-test',
    viewport: { width: 1440, height: 900 },
    launchOptions: chromiumLaunch(),
  },
  webServer: {
    command: 'npx vite build && npx vite preview --host 127.0.0.1 --port 4188 --strictPort',
    url: address,
    reuseExistingServer: false,
    timeout: 120_000,
  },
})

import { existsSync } from 'node:fs'
import { playwright } from '@vitest/browser-playwright'
import { configDefaults, defineConfig } from 'vitest/config'
import { chromiumLaunch } from './scripts/chromium.mjs'

// Chromium's package brings the software Vulkan driver; a machine with a real GPU sets VK_DRIVER_FILES itself.
const softwareDriver = '/usr/lib/chromium/vk_swiftshader_icd.json'
const env: Record<string, string> =
  existsSync(softwareDriver) && !process.env.VK_DRIVER_FILES ? { VK_DRIVER_FILES: softwareDriver } : {}

export default defineConfig({
  test: {
    // A file keeps one core busy: shaders are compiled on one thread.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          environment: 'node',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, 'test/**/*.browser.test.ts', 'test/**/*.references.test.ts'],
          env,
          pool: 'forks',
          // Files of a process share its modules, its device and the pipelines compiled on it (test/support/gpu.ts).
          isolate: false,
          testTimeout: 60_000,
          // Opening the device is one.
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'references',
          environment: 'node',
          include: ['test/**/*.references.test.ts'],
          env,
          pool: 'forks',
          testTimeout: 3_600_000,
        },
      },
      {
        test: {
          name: 'ui',
          environment: 'happy-dom',
          include: ['test/**/*.test.tsx'],
          setupFiles: ['test/support/dom.ts'],
          // A test takes 3 to 5 s where other work shares the processor.
          testTimeout: 20_000,
        },
      },
      {
        define: { global: 'globalThis' },
        // Found late, it would make Vite reload the page in the middle of a test.
        optimizeDeps: { include: ['comlink'] },
        test: {
          name: 'browser',
          include: ['test/**/*.browser.test.ts'],
          testTimeout: 120_000,
          // Another origin, for what browsers make of one.
          globalSetup: ['test/support/cross-origin.ts'],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: chromiumLaunch() }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
})

// Where the tests find their browser, and how they start it. Shared by setup, Vitest and Playwright.
import { existsSync } from 'node:fs'

const candidates = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** Path of an installed Chromium or Chrome, or undefined. */
export function findChromium() {
  return candidates.find((path) => path && existsSync(path))
}

/** Playwright launch options: WebGPU on whatever adapter there is; no sandbox when root, which Chromium demands. */
export function chromiumLaunch({ webgpu = true } = {}) {
  const args = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run']
  if (webgpu) args.push('--enable-unsafe-webgpu')
  if (process.getuid?.() === 0) args.push('--no-sandbox')
  return { executablePath: findChromium() ?? '/usr/bin/chromium', args }
}

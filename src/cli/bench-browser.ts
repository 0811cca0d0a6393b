/** The benchmark in Chromium: bundles the page in bench/, opens it, and passes rows and CPU time between it and Node. */
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from '@playwright/test'
import { type ErrorReport, FileError, GpuError, InputError, UnsupportedError } from '../core/errors'
import type { BenchRequest } from '../experiment/bench/options'
import type { BenchReport, BenchRow } from '../experiment/bench/report'
import { hostFacts, ROOT } from './bench-host'
import type { Terminal } from './command'

/** The page, and the libraries it compares with. */
const FOLDER = join(ROOT, 'bench')

/** What the page answers. */
export type PageAnswer =
  | { readonly ok: true; readonly report: BenchReport }
  | { readonly ok: false; readonly error: ErrorReport }

export interface BrowserRun {
  readonly request: BenchRequest
  /** Also the products of other libraries. */
  readonly peers: boolean
  readonly onRow: (row: BenchRow) => void
  readonly terminal: Terminal
}

/** Installs what bench/package-lock.json names, once. Throws InputError BN-06 when that fails. */
function installPeers(folder: string, terminal: Terminal): void {
  const [installed, lock] = [join(folder, 'node_modules', '.package-lock.json'), join(folder, 'package-lock.json')]
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return
  terminal.note('bench: installing the libraries to compare with (npm ci in bench/)')
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund']
  const { status, stderr } = spawnSync('npm', args, { cwd: folder, shell: process.platform === 'win32' })
  if (status !== 0) {
    const reason = stderr?.toString().trim().split('\n').at(-1) ?? 'npm could not be started'
    throw new InputError('BN-06', `peers: expected npm ci in bench/ to install them, found "${reason}".`)
  }
}

/** Bundles and serves the page; `close` ends the server. */
async function servePage(folder: string, peers: boolean): Promise<{ address: string; close: () => Promise<void> }> {
  const { build, preview } = await import('vite')
  const configFile = join(folder, 'vite.config.ts')
  const page = peers ? 'peers.html' : 'index.html'
  // One folder per process, so that two benchmarks may be bundled at a time.
  const outDir = join(folder, 'dist', String(process.pid))
  await build({
    configFile,
    root: folder,
    logLevel: 'error',
    build: { outDir, emptyOutDir: true, rolldownOptions: { input: join(folder, page) } },
  })
  const server = await preview({
    configFile,
    root: folder,
    logLevel: 'error',
    build: { outDir },
    preview: { host: '127.0.0.1', port: 0 },
  })
  const address = server.resolvedUrls?.local[0]
  if (address === undefined) throw new Error('bench: the preview server has no address')
  return {
    address: `${address}${page}`,
    close: async () => {
      await server.close()
      const { rm } = await import('node:fs/promises')
      await rm(outDir, { recursive: true, force: true })
    },
  }
}

/** CPU time of all processes of the browser, its GPU process among them, in milliseconds. */
async function cpuReader(browser: Browser): Promise<() => Promise<number>> {
  const session = await browser.newBrowserCDPSession()
  return async () => {
    const { processInfo } = await session.send('SystemInfo.getProcessInfo')
    return 1000 * processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0)
  }
}

function thrownFrom({ kind, code, message }: ErrorReport): Error {
  if (kind === 'file') return new FileError(code, message)
  if (kind === 'input') return new InputError(code, message)
  if (kind === 'unsupported') return new UnsupportedError(code, message)
  if (kind === 'gpu') return new GpuError(code, message)
  return new Error(message)
}

async function runPage(page: Page, browser: Browser, { request, onRow }: BrowserRun): Promise<BenchReport> {
  await page.exposeFunction('readCpu', await cpuReader(browser))
  await page.exposeFunction('reportRow', onRow)
  const host = hostFacts(`Chromium ${browser.version()}`)
  // A page that fails to load says so here rather than by silence.
  const failed = new Promise<never>((_, reject) => page.on('pageerror', reject))
  const answered = page.evaluate(
    ({ request, host }) => (globalThis as unknown as { runBenchPage: RunBenchPage }).runBenchPage(request, host),
    { request, host },
  )
  const answer = await Promise.race([answered, failed])
  if (!answer.ok) throw thrownFrom(answer.error)
  return answer.report
}

/** What the page offers under its name. */
export type RunBenchPage = (request: BenchRequest, host: BenchReport['host']) => Promise<PageAnswer>

/**
 * Runs the benchmark in Chromium, on whatever adapter it finds. Throws InputError BN-05 outside a checkout, BN-06 when the
 * libraries to compare with cannot be installed, and what the page's benchmark throws.
 */
export async function runInBrowser(run: BrowserRun, folder: string = FOLDER): Promise<BenchReport> {
  if (!existsSync(folder)) {
    throw new InputError('BN-05', 'browser: expected a checkout with the folder bench/, found none.')
  }
  if (run.peers) installPeers(folder, run.terminal)
  const { chromium } = await import('@playwright/test')
  const { chromiumLaunch } = await import('../../scripts/chromium.mjs')
  const { address, close } = await servePage(folder, run.peers)
  try {
    const browser = await chromium.launch(chromiumLaunch())
    try {
      const page = await browser.newPage()
      await page.goto(address, { waitUntil: 'load' })
      return await runPage(page, browser, run)
    } finally {
      await browser.close()
    }
  } finally {
    await close()
  }
}

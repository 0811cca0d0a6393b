// `npm test`: unit, GPU and component tests (Vitest), then the page in Chromium (Playwright). Ends with one line that
// counts them all. Arguments are not passed on: for a single file use `npx vitest run …` or `npx playwright test …`.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = mkdtempSync(join(tmpdir(), 'mxscope-test-'))
const vitestReport = join(folder, 'vitest.json')
const playwrightReport = join(folder, 'playwright.json')

/** Runs a command of node_modules/.bin and says whether it succeeded. */
function run(command, args, env = {}) {
  const result = spawnSync(join('node_modules', '.bin', command), args, {
    stdio: 'inherit',
    shell: process.platform === 'win32',
    env: { ...process.env, ...env },
  })
  return result.status === 0
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return null
  }
}

const vitestOk = run('vitest', [
  'run',
  ...['unit', 'ui', 'browser'].flatMap((project) => ['--project', project]),
  ...['--reporter=default', '--reporter=json', `--outputFile.json=${vitestReport}`],
])
const playwrightOk = run('playwright', ['test', '--reporter=list,json'], {
  PLAYWRIGHT_JSON_OUTPUT_FILE: playwrightReport,
})

const vitest = readReport(vitestReport)
const playwright = readReport(playwrightReport)
rmSync(folder, { recursive: true, force: true })

const passed = (vitest?.numPassedTests ?? 0) + (playwright?.stats.expected ?? 0) + (playwright?.stats.flaky ?? 0)
const failed = (vitest?.numFailedTests ?? 0) + (playwright?.stats.unexpected ?? 0)
const skipped = (vitest?.numPendingTests ?? 0) + (vitest?.numTodoTests ?? 0) + (playwright?.stats.skipped ?? 0)
const complete = vitest !== null && playwright !== null && passed > 0
if (!complete) console.error('A test runner ended without a report; see above.')
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exit(vitestOk && playwrightOk && complete && failed === 0 ? 0 : 1)

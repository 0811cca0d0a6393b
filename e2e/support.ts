import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test as base, expect, type Page } from '@playwright/test'

/** Path of a file in the repository. */
export function repoFile(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url))
}

/** Every test fails on a console error or an uncaught exception, unless it says which ones it expects. */
export const test = base.extend<{ expectedErrors: { readonly patterns: readonly RegExp[] } }>({
  expectedErrors: [{ patterns: [] }, { option: true }],
  page: async ({ page, expectedErrors }, use) => {
    const problems: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text())
    })
    page.on('pageerror', (error) => problems.push(String(error)))
    await use(page)
    const unexpected = problems.filter((text) => !expectedErrors.patterns.some((pattern) => pattern.test(text)))
    expect(unexpected).toEqual([])
  },
})

export { expect }

export const METHODS = ['rtn', 'quarot', 'flatquant'] as const

/** Waits until every tile shows a live result. */
export async function waitForResults(page: Page, methods: readonly string[] = METHODS): Promise<void> {
  for (const method of methods) {
    await expect(page.getByTestId(`tile-${method}`)).toHaveAttribute('data-result', 'live', { timeout: 90_000 })
  }
}

/** The output relative error a method's table row shows, as printed. */
export async function shownError(page: Page, method: string): Promise<string> {
  return (await page.getByTestId(`relative-error-${method}`).first().innerText()).trim()
}

interface Violation {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[]
}

interface AxeScope {
  /** A selector: what is looked at. The whole page unless given. */
  readonly part?: string
  /** Rules by name; all of them unless given. */
  readonly only?: readonly string[]
}

/** Everything axe finds on the page, or only what the rules named find; targets below 24 px as well. */
async function axeViolations(page: Page, { part = 'body', only }: AxeScope = {}): Promise<Violation[]> {
  const isThere = await page.evaluate(() => 'axe' in window)
  if (!isThere) await page.evaluate(readFileSync(repoFile('node_modules/axe-core/axe.min.js'), 'utf8'))
  return page.evaluate(
    async ([include, rules]) => {
      const { axe } = window as unknown as {
        axe: { run(context: object, options: object): Promise<{ violations: Violation[] }> }
      }
      // Descriptions of a control in sight lie beside the landmarks.
      const looked = { include: [include], exclude: ['[role=tooltip]'] }
      const { violations } = await axe.run(
        looked,
        rules ? { runOnly: rules } : { rules: { 'target-size': { enabled: true } }, resultTypes: ['violations'] },
      )
      return violations.map(({ id, impact, nodes }) => ({
        id,
        impact,
        nodes: nodes.map(({ html, failureSummary }) => ({ html: html.slice(0, 200), failureSummary })),
      }))
    },
    [part, only] as const,
  )
}

/** What axe finds, as "rule: first element, why". */
export async function violations(page: Page, scope?: AxeScope): Promise<string[]> {
  const found = await axeViolations(page, scope)
  return found.map(({ id, nodes: [first] }) => `${id}: ${first?.html} ${first?.failureSummary}`)
}

/** What axe finds serious or critical on the page, as "rule: first element". */
export async function seriousViolations(page: Page): Promise<string[]> {
  const found = await axeViolations(page)
  return found
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
}

export interface CommandResult {
  readonly method: string
  readonly setting: string
  readonly evaluation: { readonly outputRelativeError: number; readonly outputSqnrDb: number }
}

/** Runs the headless command and returns its parsed JSON. */
export function mxscope(args: readonly string[]): { results: CommandResult[] } {
  const run = spawnSync(process.execPath, [repoFile('bin/mxscope.mjs'), ...args, '--json', '-'], {
    cwd: repoFile('.'),
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  })
  if (run.status !== 0) throw new Error(`mxscope ${args.join(' ')} ended with ${run.status}: ${run.stderr}`)
  return JSON.parse(run.stdout)
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from '@playwright/test'
import { safetensorsFile } from './source-files'
import { expect, test, waitForResults } from './support'

/**
 * Longest stretch of work that leaves a page answering at once. What counts is the processor time of the main thread, as
 * the trace has it for every task: the software GPU computes on the same cores, and by the clock a task that waits for
 * one of them takes as long as it is kept waiting. What is left of that, slower cores while all are busy, is measured by
 * a piece of work of known size, before the run and during it.
 */
const LONGEST_MS = 50
/** Rounds of a piece that takes some eighty milliseconds where a round takes five. */
const LONG_PIECE = 16
const PIECES = 5

/** Of every kind, those that the software adapter computes soon; what the page does does not depend on which they are. */
const METHODS = ['rtn', 'smoothquant', 'awq', 'quarot', 'block-hadamard', 'scaled-hadamard', 'spinquant', 'flatquant']
const OPTIONS: Readonly<Record<string, string>> = {
  awq: '(points=5,clip=off)',
  spinquant: '(steps=2)',
  flatquant: '(steps=2)',
}
const LINK = `/#v=1&src=none&a=syn,t64&m=${METHODS.map((id) => `${id}${OPTIONS[id] ?? ''}`).join(',')}`

const START = 'mxscope-start'
const CONTROL = 'mxscope-control'
const IDLE = 'mxscope-idle'
const BUSY = 'mxscope-busy'

interface TraceEvent {
  readonly name: string
  readonly ph: string
  readonly pid: number
  readonly tid: number
  /** In microseconds: when it began, how long it took by the clock, how long its thread computed. */
  readonly ts: number
  readonly dur?: number
  readonly tdur?: number
}

interface Task {
  readonly cpuMs: number
  /** What happened in it, by the names of the browser. */
  readonly names: readonly string[]
}

/** The tasks of the page's main thread during `work`. */
async function tasksDuring(browser: Browser, page: Page, work: () => Promise<void>): Promise<readonly Task[]> {
  await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline', 'blink.user_timing'] })
  await page.evaluate((name) => performance.mark(name), START)
  await work()
  const trace: { readonly traceEvents: readonly TraceEvent[] } = JSON.parse((await browser.stopTracing()).toString())
  const start = trace.traceEvents.find(({ name }) => name === START)
  const own = trace.traceEvents.filter(({ pid, tid }) => pid === start?.pid && tid === start.tid)
  return own
    .filter(({ name, ph, tdur }) => /RunTask$/.test(name) && ph === 'X' && tdur !== undefined)
    .map(({ ts, dur = 0, tdur = 0 }) => ({
      cpuMs: tdur / 1000,
      names: [...new Set(own.filter((each) => each.ts >= ts && each.ts < ts + dur).map(({ name }) => name))],
    }))
}

/** Work of known size that uses the processor as drawing does, as one task with this mark. */
async function piece(page: Page, mark: string, size: number): Promise<void> {
  await page.evaluate(
    ([name, rounds]) => {
      performance.mark(name)
      for (let round = 0; round < rounds; round += 1) {
        const words = Array.from({ length: 12_000 }, (_, i) => ({ word: String((i * 7919) % 10_007), at: i }))
        words.sort((a, b) => (a.word < b.word ? -1 : 1))
      }
    },
    [mark, size] as const,
  )
}

async function pieces(page: Page, mark: string, pauseMs: number): Promise<void> {
  for (let count = 0; count < PIECES; count += 1) {
    await piece(page, mark, 1)
    await page.waitForTimeout(pauseMs)
  }
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]

// A machine that does other work besides can make any task long, once.
test.describe.configure({ retries: 1, timeout: 180_000 })

let folder = ''
test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mxscope-layer-'))
})
test.afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the main thread answers at once while eight methods run on a 1024 x 1024 layer @quiet', async ({
  browser,
  page,
}) => {
  const { name, buffer } = safetensorsFile('big.safetensors', { 'layer.weight': [1024, 1024] })
  // By its path: as bytes it would reach the page through the main thread.
  writeFileSync(join(folder, name), buffer)
  await page.goto(LINK)
  const input = page.getByLabel('Safetensors files')
  await expect(input).toBeAttached()
  await pieces(page, 'not measured', 50)
  const tasks = await tasksDuring(browser, page, async () => {
    await pieces(page, IDLE, 50)
    await input.setInputFiles(join(folder, name))
    await pieces(page, BUSY, 300)
    await waitForResults(page, METHODS)
    await expect(page.locator('[data-drawing="drawn"]')).toHaveCount(METHODS.length)
    await piece(page, CONTROL, LONG_PIECE)
  })
  const marked = (mark: string) => tasks.filter(({ names }) => names.includes(mark))
  const typical = (mark: string) => median(marked(mark).map(({ cpuMs }) => cpuMs))
  const slower = Math.max(1, typical(BUSY) / typical(IDLE))
  const ours = [IDLE, BUSY, CONTROL].flatMap(marked)
  expect(ours).toHaveLength(2 * PIECES + 1)
  // A long task is seen, and so is all the work of the page.
  expect(marked(CONTROL)[0].cpuMs).toBeGreaterThan(LONGEST_MS)
  expect(tasks.length).toBeGreaterThan(100)
  const long = tasks.filter((task) => task.cpuMs > LONGEST_MS * slower && !ours.includes(task))
  expect(long, `cores ${slower.toFixed(2)} times slower during the run`).toEqual([])
})

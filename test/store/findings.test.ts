import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FINDINGS } from '../../src/experiment/findings/findings'
import { allNeeds, needKey } from '../../src/experiment/findings/needs'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import { evidenceOf } from '../../src/store/findings'
import { findingsTable } from '../../src/store/findings-text'
import { FakeEngine, VOCABULARY } from './fake-engine'

let engine: FakeEngine
const settle = () => vi.advanceTimersByTimeAsync(20)

async function opened(fragment = ''): Promise<AppStore> {
  const store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 10,
  })
  await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
  await settle()
  engine.finish()
  await settle()
  return store
}

/** Lets every run that is asked for end. */
async function finishAll() {
  for (let runs = 0; runs < engine.runs.length; runs = runs + 1) {
    engine.finish()
    await settle()
  }
}

const missing = (store: AppStore) => allNeeds().filter((need) => evidenceOf(store.getState(), need) === undefined)

beforeEach(() => {
  vi.useFakeTimers()
  engine = new FakeEngine()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the evidence of the findings', () => {
  it('is measured when asked for, not when the view is opened', async () => {
    const store = await opened('#view=findings')
    expect(engine.runs).toHaveLength(1)
    expect(findingsTable(store.getState())).toBeNull()
    expect(missing(store).length).toBeGreaterThan(0)
    store.actions.measureFindings()
    await settle()
    await finishAll()
    expect(missing(store)).toEqual([])
    // What a report then says: every finding with its verdict, its number and its rule.
    expect(findingsTable(store.getState())?.rows.map(([claim]) => claim)).toEqual(FINDINGS.map(({ claim }) => claim))
  })

  it('takes what the comparison has measured already, and measures nothing twice', async () => {
    const store = await opened('#view=findings')
    // RTN lacks its scale analysis.
    expect(missing(store).map(needKey)).not.toContain('flatquant W4A4 pre-scaled 0')
    store.actions.measureFindings()
    await settle()
    await finishAll()
    const cells = engine.runs
      .slice(1)
      .flatMap(({ request: { settings, methods, ...choices } }) =>
        settings.flatMap(({ id }) =>
          methods.map((method) =>
            JSON.stringify([id, method.id, choices.preScale, choices.seed, choices.scaleAnalysis]),
          ),
        ),
      )
    expect(new Set(cells).size).toBe(cells.length)
    expect(cells.filter((cell) => cell.includes('flatquant'))).toEqual([])
    expect(
      cells
        .filter((cell) => cell.includes('"W4A4","rtn"'))
        .map((cell) => JSON.parse(cell).at(-1))
        .sort(),
    ).toEqual([false, true])
  })

  it('is under the conditions of the paper whatever the setup says, with seeds from its own', async () => {
    const store = await opened('#view=findings&rule=even&pre=0&bs=64&seed=7&set=w8a8')
    store.actions.measureFindings()
    await settle()
    await finishAll()
    const own = engine.runs.slice(1).map(({ request }) => request)
    expect(own.every(({ scaleRule, blockSize }) => scaleRule === 'floor' && blockSize === 32)).toBe(true)
    expect([...new Set(own.map(({ seed }) => seed))].sort((a, b) => a - b)).toEqual([7, 8, 9, 10, 11])
    expect([...new Set(own.map(({ preScale }) => preScale?.factor ?? null))].sort()).toEqual([0.75, null])
    expect(missing(store)).toEqual([])
  })

  it('is of the layer it was asked for: another one is not measured unasked', async () => {
    const store = await opened('#view=findings')
    store.actions.measureFindings()
    await settle()
    await finishAll()
    const runs = engine.runs.length
    store.actions.setHeldOutShare(0.25)
    await settle()
    await finishAll()
    expect(engine.runs.length).toBe(runs + 1)
    expect(missing(store).length).toBeGreaterThan(0)
  })
})

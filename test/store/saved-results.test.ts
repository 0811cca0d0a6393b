import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { resultsText } from '../../src/experiment/results/results-file'
import { parseSetting } from '../../src/experiment/settings'
import { answerText, conditionLines } from '../../src/store/answer-text'
import { createAppStore } from '../../src/store/app-store'
import { resultsDocument, tableCsv } from '../../src/store/export-content'
import { exportObstacle } from '../../src/store/export-layer'
import { fragmentOf } from '../../src/store/link-actions'
import { savedOnScreen } from '../../src/store/saved-layer'
import { baselineResult, layerTitle, pageState, panelOutcomes, tiles } from '../../src/store/selectors'
import { sweepModel } from '../../src/store/sweeps'
import { FakeEngine, VOCABULARY } from './fake-engine'

let engine: FakeEngine

const settle = () => vi.advanceTimersByTimeAsync(20)

async function opened(fragment = '', layer?: File) {
  const store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => layer ?? new File([file], file),
    now: () => 0,
    debounceMs: 10,
  })
  await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
  await settle()
  return store
}
type Store = Awaited<ReturnType<typeof opened>>

/** A page with a comparison on it that has ended. */
async function compared(fragment = 'seed=5&rule=even&pre=0') {
  const store = await opened(`v=1&${fragment}`)
  engine.finish()
  await settle()
  return store
}

/** The results of a page as the file it saves, with other text in it where `change` says so. */
function fileOf(store: Store, change = (text: string) => text): File {
  const document = resultsDocument(store.getState(), VOCABULARY)
  if (!document) throw new Error('there are no results to save')
  return new File([change(resultsText(document))], 'saved results.json')
}

async function drop(store: Store, ...files: File[]) {
  await store.actions.openFiles(files)
  // The reader is loaded on first use.
  await vi.waitFor(() => {
    const { source } = store.getState()
    if (source.active !== 'saved' && source.problems.length === 0) throw new Error('not yet')
  })
  await settle()
}

const problems = (store: Store) => store.getState().source.problems.map(({ error }) => error)

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true })
  engine = new FakeEngine()
})
afterEach(() => vi.useRealTimers())

describe('what is saved', () => {
  it('is nothing before there is a result', async () => {
    const store = await opened()
    expect(resultsDocument(store.getState(), VOCABULARY)).toBeNull()
  })

  it('says the hash of the header of a built-in layer too', async () => {
    const bytes = Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, ...new TextEncoder().encode('{}'))
    const store = await opened('v=1&seed=5', new File([bytes], 'layers/a.safetensors'))
    engine.finish()
    await vi.waitFor(() =>
      expect(resultsDocument(store.getState(), VOCABULARY)?.files).toMatchObject([
        { builtIn: 'outliers', headerHash: '44136fa355b3' },
      ]),
    )
  })

  it('names layer, files, choices, methods with their options, and every outcome', async () => {
    const store = await compared('seed=5&rule=even&pre=0.9&m=rtn,quarot(signs=off)')
    const document = resultsDocument(store.getState(), VOCABULARY)
    expect(document).toMatchObject({
      adapter: { description: 'Test adapter' },
      files: [{ name: 'layers/a.safetensors', builtIn: 'outliers' }],
      weight: { title: 'Demo layer', tensor: 'q_proj.weight', shape: [64, 64], dtype: 'F32' },
      choices: { seed: 5, scaleRule: 'even', preScale: { factor: 0.9, variant: 'exact' }, heldOutShare: 0.5 },
      setting: { id: 'W4A4' },
      methods: [{ id: 'rtn' }, { id: 'quarot', options: { signs: 'off' } }],
    })
    expect(document?.outcomes.map(({ method, setting }) => [method, setting])).toEqual([
      ['rtn', 'W4A4'],
      ['quarot', 'W4A4'],
    ])
    expect(document?.link).toContain('seed=5')
  })

  it('holds the other settings where they were computed', async () => {
    const store = await compared()
    store.actions.setView('error')
    await settle()
    engine.finish()
    await settle()
    const settings = resultsDocument(store.getState(), VOCABULARY)?.outcomes.map(({ setting }) => setting)
    expect([...new Set(settings)]).toEqual(['W4A4', 'W8A8', 'W4A8', 'W4A16'])
  })
})

describe('results opened from a file', () => {
  it.each(['seed=5&rule=even&pre=0', 'seed=5&pre=0.9l&bs=64&tie=away&hd=16'])(
    'put figures, table, answer and conditions back without a run (%s)',
    async (fragment) => {
      const first = await compared(fragment)
      const file = fileOf(first)
      engine = new FakeEngine()
      const store = await opened()
      engine.finish()
      await settle()
      const runs = engine.runs.length
      await drop(store, file)
      expect(engine.runs).toHaveLength(runs)
      expect(pageState(store.getState())).toBe('ready')
      expect(tiles(store.getState())).toEqual(tiles(first.getState()))
      expect(tiles(store.getState()).map(({ status }) => status)).toEqual(['live', 'live', 'live'])
      expect(tableCsv(store.getState(), VOCABULARY)).toBe(tableCsv(first.getState(), VOCABULARY))
      expect(baselineResult(store.getState())).toEqual(baselineResult(first.getState()))
      expect(conditionLines(store.getState(), VOCABULARY)).toEqual(conditionLines(first.getState(), VOCABULARY))
      expect(answerText(store.getState(), VOCABULARY)).toMatch(/^Demo layer › q_proj, W4A4.*: FlatQuant 19\.9 dB/)
      expect(layerTitle(store.getState(), VOCABULARY)).toMatchObject({ weight: 'q_proj', shape: [64, 64] })
      expect(store.getState().setup).toEqual(first.getState().setup)
      expect(savedOnScreen(store.getState())).toMatchObject({ fileName: 'saved results.json' })
    },
  )

  it('give the same document again', async () => {
    const first = await compared()
    const file = fileOf(first)
    const store = await opened()
    await drop(store, file)
    expect(resultsDocument(store.getState(), VOCABULARY)).toEqual(resultsDocument(first.getState(), VOCABULARY))
  })

  it('keep the link of the layer they were computed on', async () => {
    const first = await compared()
    const link = fragmentOf(first.getState(), VOCABULARY)
    const store = await opened()
    await drop(store, fileOf(first))
    expect(fragmentOf(store.getState(), VOCABULARY)).toBe(link)
    await store.actions.applyLink(link)
    await settle()
    expect(store.getState().source.active).toBe('outliers')
    expect(savedOnScreen(store.getState())).toBeNull()
  })

  it('compute nothing when a control changes, and come back when it changes back', async () => {
    const first = await compared()
    const store = await opened()
    await drop(store, fileOf(first))
    const runs = engine.runs.length
    store.actions.setSeed(6)
    await settle()
    expect(engine.runs).toHaveLength(runs)
    expect(tiles(store.getState()).map(({ status }) => status)).toEqual(['stale', 'stale', 'stale'])
    expect(exportObstacle(store.getState())).toContain('hold no weights')
    store.actions.setSeed(5)
    await settle()
    expect(tiles(store.getState()).map(({ status }) => status)).toEqual(['live', 'live', 'live'])
  })

  it('bring every setting that was computed', async () => {
    const first = await compared()
    first.actions.setView('error')
    await settle()
    engine.finish()
    await settle()
    const store = await opened()
    // The fake engine's results all have the formats of one setting.
    const ownFormats = (text: string) => {
      const { outcomes, ...rest } = JSON.parse(text)
      const own = outcomes.map((outcome: { setting: string }) => ({ ...outcome, ...parseSetting(outcome.setting) }))
      return JSON.stringify({ ...rest, outcomes: own })
    }
    await drop(store, fileOf(first, ownFormats))
    store.actions.setView('error')
    await settle()
    expect(panelOutcomes(store.getState(), VOCABULARY)).toHaveLength(12)
  })

  it('bring sweeps', async () => {
    const first = await compared('m=rtn,flatquant&sw=alpha')
    first.actions.runSweep()
    await settle()
    engine.sweepPoints()
    await settle()
    const store = await opened()
    await drop(store, fileOf(first))
    store.actions.setSweepParameter('alpha')
    const [before, after] = [first, store].map((each) => sweepModel(each.getState(), VOCABULARY))
    expect(after?.lines[0].points.length).toBeGreaterThan(3)
    expect(after?.lines[0].points).toEqual(before?.lines[0].points)
    expect(after).toMatchObject({ stale: null, done: before?.done })
  })

  it('leave the view that looks into the layer for one they have figures for', async () => {
    const first = await compared()
    const store = await opened('v=1&view=blocks')
    await drop(store, fileOf(first))
    expect(store.getState().view.view).toBe('distribution')
  })
})

describe('a file that is refused changes nothing', () => {
  it.each([
    ['RF-02', (text: string) => text.replace('mxscope.results/1', 'mxscope.results/2')],
    ['RF-02', (text: string) => text.replace('mxscope.results/1', 'mxscope.compare/1')],
    ['RF-01', (text: string) => text.slice(0, -20)],
    ['RF-03', (text: string) => text.replaceAll('"gain":', '"loss":')],
    ['RF-03', (text: string) => text.replaceAll('"weightFormat": "mxfp4"', '"weightFormat": "fp3"')],
  ])('%s', async (code, change) => {
    const store = await compared()
    const before = tiles(store.getState())
    await drop(store, fileOf(store, change))
    expect(problems(store)).toMatchObject([{ code, kind: 'file' }])
    expect(store.getState().source.active).toBe('outliers')
    expect(tiles(store.getState())).toEqual(before)
  })

  it('RF-01 for one that is far too large', async () => {
    const store = await compared()
    const file = fileOf(store)
    Object.defineProperty(file, 'size', { value: 2 ** 40 })
    await drop(store, file)
    expect(problems(store)).toMatchObject([{ code: 'RF-01' }])
  })

  it('RF-04 names methods that are not known here, and shows the rest', async () => {
    const store = await compared()
    await drop(
      store,
      fileOf(store, (text) => text.replaceAll('"quarot"', '"turbo"')),
    )
    expect(store.getState().source.notes).toMatchObject([{ code: 'RF-04', message: expect.stringContaining('turbo') }])
    expect(tiles(store.getState()).map(({ method }) => method.id)).toEqual(['rtn', 'flatquant'])
  })

  it('JSON that is no results goes to the engine as any other file', async () => {
    const store = await compared()
    await store.actions.openFiles([new File(['{"weight_map": {}}'], 'model.safetensors')])
    await settle()
    expect(store.getState().source.active).toBe('user')
  })
})

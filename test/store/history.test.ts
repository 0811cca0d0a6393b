import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { MethodResult } from '../../src/experiment/result'
import { readResults } from '../../src/experiment/results/read-results'
import { RESOLUTIONS, reducedOutcome } from '../../src/experiment/results/reduce-outcome'
import { parseSetting } from '../../src/experiment/settings'
import { conditionLines } from '../../src/store/answer-text'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import type { RunSummary } from '../../src/store/history'
import { unpackedText } from '../../src/store/history-bytes'
import { MOST_BYTES } from '../../src/store/history-record'
import { comparedScores, differences, headline, runTitle } from '../../src/store/history-text'
import { fragmentOf } from '../../src/store/link-actions'
import { awaitedFiles } from '../../src/store/link-restore'
import { blockedView } from '../../src/store/panel-state'
import { tiles } from '../../src/store/selectors'
import { ERRORS, FACTS, FakeEngine, failure, METHODS, result, VOCABULARY } from './fake-engine'
import { FakeHistory } from './fake-history'

let engine: FakeEngine
let storage: FakeHistory
let clock: number

const settle = () => new Promise((resolve) => setTimeout(resolve, 5))

async function opened(fragment = '', vocabulary = VOCABULARY): Promise<AppStore> {
  const store = createAppStore(engine, {
    vocabulary,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
    history: { storage, date: () => clock },
  })
  await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
  await settle()
  return store
}

const runs = (store: AppStore): readonly RunSummary[] => store.getState().history.runs ?? []

/** Finishes the run that goes on, and waits until `count` runs are listed, the newest at `clock`. */
async function finish(store: AppStore, count: number, errors = ERRORS) {
  engine.finish(errors)
  await vi.waitFor(() => {
    expect(runs(store)).toHaveLength(count)
    expect(runs(store)[0].time).toBe(clock)
  })
}

beforeEach(() => {
  engine = new FakeEngine()
  storage = new FakeHistory()
  clock = 1000
})

describe('a finished comparison', () => {
  it('becomes a run with its numbers, its conditions and its link', async () => {
    const store = await opened('seed=3')
    engine.finish()
    await vi.waitFor(() => expect(runs(store)).toHaveLength(1))
    const [run] = runs(store)
    expect(run).toMatchObject({ layer: 'Demo layer', time: 1000, title: null, pinned: false, link: 'v=1&seed=3' })
    expect(run.setting.id).toBe('W4A4')
    expect(run.choices).toMatchObject({ seed: 3, scaleRule: 'floor', blockSize: 32 })
    expect(run.scores.map(({ method, outputRelativeError }) => [method, outputRelativeError])).toEqual(
      Object.entries(ERRORS),
    )
    expect(run.adapter?.description).toBe('Test adapter')
    expect(runTitle(run, VOCABULARY)).toBe('Demo layer, W4A4: RTN, QuaRot, FlatQuant')
    expect(headline(run, VOCABULARY)).toBe('best FlatQuant 19.9 dB')
    expect([...storage.facts.keys()]).toEqual([run.id])
    const results = readResults('kept', await unpackedText(storage.bytes.get(run.id) ?? new Uint8Array()))
    expect(results.outcomes.map(({ method }) => method)).toEqual(['rtn', 'quarot', 'flatquant'])
    expect(results.link).toContain('seed=3')
  })

  it('updates its run when it is computed again, in any order and whatever is hidden, and keeps title and pin', async () => {
    const first = await opened()
    await finish(first, 1)
    const [{ id }] = runs(first)
    await first.actions.renameRun(id, '  My run ')
    await first.actions.pinRun(id, true)
    clock = 2000
    const second = await opened('m=flatquant,rtn,-quarot')
    await finish(second, 1, { ...ERRORS, flatquant: 0.2 })
    expect(runs(second)[0]).toMatchObject({ id, title: 'My run', pinned: true, time: 2000 })
    expect(runs(second)[0].link).toContain('-quarot')
    expect(runs(second)[0].scores[0]).toMatchObject({ method: 'flatquant', outputRelativeError: 0.2 })
  })

  it('is a run of its own under another setting, and none when it only comes back from memory', async () => {
    const store = await opened()
    await finish(store, 1)
    clock = 2000
    store.actions.setSetting(parseSetting('W8A8'))
    await settle()
    await finish(store, 2)
    const results = await unpackedText(storage.bytes.get(runs(store)[0].id) ?? new Uint8Array())
    expect(new Set(readResults('kept', results).outcomes.map(({ setting }) => setting))).toEqual(new Set(['W8A8']))
    clock = 3000
    store.actions.setSetting(parseSetting('W4A4'))
    store.actions.toggleMethod('quarot')
    await settle()
    expect(runs(store).map(({ time }) => time)).toEqual([2000, 1000])
    // Computed with one more method, it is another comparison.
    clock = 4000
    store.actions.setMethodOption('flatquant', 'steps', 60)
    await settle()
    await finish(store, 3)
    expect(runs(store)[0].methods.map(({ id }) => id)).toEqual(['rtn', 'flatquant'])
  })

  it('is kept once what was cancelled is taken away, and not before', async () => {
    const store = await opened()
    const { emit } = engine.last
    emit({ kind: 'layer', layer: FACTS })
    for (const id of ['rtn', 'quarot']) emit({ kind: 'outcome', outcome: result(id) })
    store.actions.cancel()
    await settle()
    expect(runs(store)).toEqual([])
    store.actions.toggleMethod('flatquant')
    await vi.waitFor(() => expect(runs(store)).toHaveLength(1))
    expect(runs(store)[0].scores.map(({ method }) => method)).toEqual(['rtn', 'quarot'])
  })

  it('keeps a failure by its code', async () => {
    const store = await opened('m=rtn,quarot')
    const { emit, end } = engine.last
    emit({ kind: 'layer', layer: FACTS })
    emit({ kind: 'outcome', outcome: failure('rtn') })
    emit({ kind: 'outcome', outcome: failure('quarot') })
    end({ kind: 'done' })
    await vi.waitFor(() => expect(runs(store)).toHaveLength(1))
    expect(runs(store)[0].scores[1]).toEqual({
      method: 'quarot',
      outputSqnrDb: null,
      outputRelativeError: null,
      error: 'MD-01',
    })
    expect(headline(runs(store)[0], VOCABULARY)).toBe('every method failed')
    // Tried again, it is the same run with another outcome.
    store.actions.retry('rtn')
    await finish(store, 1)
    await vi.waitFor(() => expect(headline(runs(store)[0], VOCABULARY)).toBe('best RTN 14.1 dB'))
  })
})

/** A result whose profile has as many numbers as a wide layer's, none of them compressible. */
function wideResult(method: string, channels = 4096): MethodResult {
  let seed = 1
  const noise = () => {
    seed = (seed * 48271) % 2147483647
    return seed / 2147483647
  }
  const base = result(method)
  return {
    ...base,
    profile: {
      ...base.profile,
      histogram: { range: 8, counts: Float64Array.from({ length: 1024 }, () => Math.floor(1e6 * noise())) },
      map: {
        rows: 128,
        cols: 256,
        tokens: 512,
        channels,
        values: Float32Array.from({ length: 128 * 256 }, noise),
      },
      channelMax: Float32Array.from({ length: channels }, noise),
      channelRms: Float32Array.from({ length: channels }, noise),
    },
    training: {
      steps: Array.from({ length: 2000 }, (_, i) => i),
      losses: Array.from({ length: 2000 }, noise),
      bestStep: 1777,
    },
  }
}

describe('the results of a run', () => {
  it.each([3, 33])('of %i methods on a wide layer take less than 200 kB', async (count) => {
    const methods = Array.from({ length: count }, (_, i) => ({ ...METHODS[0], id: i === 0 ? 'rtn' : `m${i}` }))
    const store = await opened(`m=${methods.map(({ id }) => id).join(',')}`, { ...VOCABULARY, methods })
    const { emit, end, request } = engine.last
    emit({ kind: 'layer', layer: FACTS })
    for (const { id } of request.methods) emit({ kind: 'outcome', outcome: wideResult(id) })
    end({ kind: 'done' })
    await vi.waitFor(() => expect(runs(store)).toHaveLength(1), { timeout: 10_000 })
    const [bytes] = [...storage.bytes.values()]
    const facts = JSON.stringify(runs(store)[0]).length
    expect(bytes.length + facts).toBeLessThan(MOST_BYTES)
    const { outcomes } = readResults('kept', await unpackedText(bytes))
    expect(outcomes).toHaveLength(count)
  })

  it('keep peaks, counts, lengths and every number outside the profile', () => {
    const whole = wideResult('flatquant', 1000)
    for (const resolution of RESOLUTIONS) {
      const kept = reducedOutcome(whole, resolution)
      if (kept.kind === 'failure') throw new Error('a result became a failure')
      const { profile, training, ...rest } = kept
      const { profile: before, training: _training, ...others } = whole
      expect(rest).toEqual(others)
      expect(profile.channelMax).toHaveLength(1000)
      expect(new Set(profile.channelMax).size).toBeLessThanOrEqual(resolution.channels)
      expect(Math.max(...profile.channelMax)).toBe(Math.max(...before.channelMax))
      expect(Math.max(...profile.map.values)).toBe(Math.max(...before.map.values))
      expect(profile.map.rows).toBeLessThanOrEqual(resolution.rows)
      expect(profile.map.values).toHaveLength(profile.map.rows * profile.map.cols)
      const sum = (counts: Float64Array) => counts.reduce((total, each) => total + each, 0)
      expect(sum(profile.histogram.counts)).toBe(sum(before.histogram.counts))
      expect(profile.histogram.counts.length).toBeLessThanOrEqual(resolution.bins)
      expect(training?.steps).toContain(1777)
      expect(training?.steps.at(-1)).toBe(1999)
      expect(training?.steps.length).toBeLessThanOrEqual(resolution.points)
    }
    // The cell of the largest value is where it was.
    const { map } = (reducedOutcome(whole, RESOLUTIONS[0]) as MethodResult).profile
    const at = whole.profile.map.values.indexOf(Math.max(...whole.profile.map.values))
    const [row, col] = [Math.floor(at / 256), at % 256]
    const cell = Math.floor(row / 3) * map.cols + Math.floor(col / 3)
    expect(map.values[cell]).toBe(Math.max(...whole.profile.map.values))
  })
})

describe('the list of runs', () => {
  it('drops the oldest that is not pinned when there are more than 50', async () => {
    const store = await opened()
    await finish(store, 1)
    const [run] = runs(store)
    for (let i = 0; i < 49; i++) {
      const facts = { ...run, id: `#old${i}`, time: i }
      await storage.put(facts, new Uint8Array([1]))
    }
    await storage.mark('#old0', { title: null, pinned: true })
    clock = 2000
    store.actions.setSeed(7)
    await settle()
    engine.finish()
    await vi.waitFor(() => expect(storage.facts.has('#old1')).toBe(false))
    expect(storage.facts.size).toBe(50)
    expect(storage.facts.has('#old0')).toBe(true)
    expect(runs(store)).toHaveLength(50)
    expect(runs(store)[0].choices.seed).toBe(7)
  })

  it('shows what another tab has added, and loses nothing of it', async () => {
    const [one, other] = [await opened(), await opened('seed=2')]
    engine.finish()
    await vi.waitFor(() => expect(storage.facts.size).toBe(1))
    const [first] = engine.runs
    expect(first.request.seed).toBe(0)
    first.emit({ kind: 'layer', layer: FACTS })
    for (const { id } of first.request.methods) first.emit({ kind: 'outcome', outcome: result(id) })
    first.end({ kind: 'done' })
    await vi.waitFor(() => expect(runs(one)).toHaveLength(2))
    expect(runs(other)).toHaveLength(1)
    await other.actions.readRuns()
    expect(runs(other)).toHaveLength(2)
  })

  it('says once, calmly, that nothing can be kept (HI-01), and goes on with the runs of this visit', async () => {
    storage.refuses = true
    const store = await opened()
    await finish(store, 1)
    const said = () => store.getState().source.notes.filter(({ code }) => code === 'HI-01')
    expect(said()).toHaveLength(1)
    expect(said()[0].message).toContain('until the page is reloaded')
    store.actions.dismissProblems()
    clock = 2000
    store.actions.setSeed(2)
    await settle()
    await finish(store, 2)
    expect(said()).toEqual([])
    const [{ id }] = runs(store)
    await store.actions.renameRun(id, 'Mine')
    await store.actions.readRuns()
    expect(runs(store).map(({ title }) => title)).toEqual(['Mine', null])
    await store.actions.deleteRun(id)
    expect(runs(store)).toHaveLength(1)
    await store.actions.undo()
    expect(runs(store)[0]).toMatchObject({ id, title: 'Mine' })
  })

  it('forgets everything, a run that is being made included', async () => {
    const store = await opened()
    await finish(store, 1)
    await store.actions.pinRun(runs(store)[0].id, true)
    await store.actions.deleteRun(runs(store)[0].id)
    await store.actions.undo()
    store.actions.setSeed(9)
    await settle()
    engine.finish()
    await settle()
    await store.actions.deleteRun(runs(store)[0].id)
    store.actions.setSeed(10)
    await settle()
    engine.finish()
    // It is being made now.
    await new Promise((resolve) => setTimeout(resolve))
    await store.actions.forgetHistory()
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(storage.facts.size + storage.bytes.size + storage.marks.size).toBe(0)
    expect(runs(store)).toEqual([])
    await store.actions.undo()
    expect(runs(store)).toEqual([])
  })
})

describe('opening a run', () => {
  it('computes on its layer where that is there, under the view of now, and can be undone', async () => {
    const store = await opened()
    await finish(store, 1)
    const [{ id }] = runs(store)
    await store.actions.openBuiltIn('plain')
    store.actions.setSetting(parseSetting('W8A8'))
    store.actions.setMethods(['rtn'])
    store.actions.setView('channels')
    await settle()
    const before = store.getState()
    await store.actions.openRun(id)
    const { source, setup, view, undo } = store.getState()
    expect(source.active).toBe('outliers')
    expect(setup.setting.id).toBe('W4A4')
    expect(setup.methods.map((method) => method.id)).toEqual(['rtn', 'quarot', 'flatquant'])
    expect(view.view).toBe('channels')
    expect(tiles(store.getState()).every(({ status }) => status === 'live')).toBe(true)
    expect(undo.text).toBe('Opened a run in place of Plain layer.')
    await store.actions.undo()
    expect(store.getState().setup).toEqual(before.setup)
    expect(store.getState().source.weight).toEqual(before.source.weight)
    expect(store.getState().source.active).toBe('plain')
  })

  it('shows its results where its file is not open, and says that figures are coarser', async () => {
    engine.listings['mine.safetensors'] = engine.listings['layers/a.safetensors']
    const first = await opened()
    await first.actions.openFiles([new File(['12345678'], 'mine.safetensors')])
    await settle()
    await finish(first, 1)
    const [{ id }] = runs(first)
    const later = await opened()
    await later.actions.readRuns()
    clock = 9000
    await later.actions.openRun(id)
    const { saved, source } = later.getState()
    expect(source.active).toBe('saved')
    expect(saved.results?.fileName).toContain('mine.safetensors')
    expect(source.notes).toEqual([])
    expect(conditionLines(later.getState(), VOCABULARY).at(-1)).toContain('lower resolution')
    expect(tiles(later.getState()).map(({ status }) => status)).toEqual(['live', 'live', 'live'])
    // What is shown from a run is no run.
    await vi.waitFor(() => expect(later.getState().run.phase).toBe('idle'))
    await later.actions.openBuiltIn('plain')
    await settle()
    await finish(later, 2)
    expect([...storage.facts.values()].map(({ time }) => time)).toEqual([1000, 9000])
    await later.actions.openFiles([new File(['12345678'], 'mine.safetensors')])
    await later.actions.openRun(id)
    expect(later.getState().source.active).toBe('user')
  })

  it('stands in for the file that a link of it waits for, whatever that file is called, until it is open', async () => {
    for (const name of ['mine', 'twin', 'third']) {
      engine.listings[`${name}.safetensors`] = engine.listings['layers/a.safetensors']
    }
    const file = (name: string) => new File([new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 123, 125])], `${name}.safetensors`)
    const first = await opened('seed=3')
    await first.actions.openFiles([file('mine')])
    await settle()
    await finish(first, 1)
    const link = fragmentOf(first.getState(), VOCABULARY)
    const later = await opened(`${link.replace('mine.', 'twin.')}&view=channels`)
    await vi.waitFor(() => expect(later.getState().source.active).toBe('saved'))
    expect(tiles(later.getState()).map(({ status }) => status)).toEqual(['live', 'live', 'live'])
    expect(blockedView(later.getState(), VOCABULARY)).toBeNull()
    expect(awaitedFiles(later.getState().source)).toMatchObject([{ name: 'twin.safetensors' }])
    expect(fragmentOf(later.getState(), VOCABULARY)).toContain('twin.safetensors')
    later.actions.setView('findings')
    expect(blockedView(later.getState(), VOCABULARY)?.title).toBe('Waiting for twin.safetensors')
    await later.actions.openFiles([file('third')])
    expect(later.getState().source).toMatchObject({ active: 'user', pendingLink: null })
    expect(later.getState().undo.text).toBeNull()
    // Another seed is another comparison.
    const other = await opened(link.replace('seed=3', 'seed=4'))
    await settle()
    expect(other.getState().source.active).toBeNull()
    expect(tiles(other.getState()).map(({ outcome }) => outcome)).toEqual([null, null, null])
  })

  it('says that another tab has deleted it (HI-02)', async () => {
    engine.listings['mine.safetensors'] = engine.listings['layers/a.safetensors']
    const first = await opened()
    await first.actions.openFiles([new File(['12345678'], 'mine.safetensors')])
    await settle()
    await finish(first, 1)
    const [{ id }] = runs(first)
    const later = await opened()
    await later.actions.readRuns()
    await storage.clear()
    await later.actions.openRun(id)
    expect(later.getState().source.notes.map(({ code }) => code)).toEqual(['HI-02'])
    expect(runs(later)).toEqual([])
    expect(later.getState().source.active).toBe('outliers')
  })
})

describe('two runs', () => {
  it('differ in words, option by option, and meet method by method in menu order', async () => {
    const store = await opened('m=rtn,quarot,flatquant(steps=60)')
    await finish(store, 1)
    clock = 2000
    await store.actions.applyLink('rule=even&pre=0&m=rtn,flatquant&seed=4')
    await settle()
    await finish(store, 2)
    const [b, a] = runs(store)
    expect(differences(a, b, VOCABULARY)).toEqual([
      'scale rule floor (OCP) → even',
      'pre-scale 3/4 → off',
      'seed 0 → 4',
      'FlatQuant steps 60 → 120',
      'only in A: QuaRot',
    ])
    expect(differences(a, a, VOCABULARY)).toEqual([])
    const scores = comparedScores(b, a, VOCABULARY)
    expect(scores.map(({ method }) => method)).toEqual(['rtn', 'quarot', 'flatquant'])
    expect(scores[1].a).toBeNull()
    expect(scores[1].b?.outputRelativeError).toBe(ERRORS.quarot)
  })
})

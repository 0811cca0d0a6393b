import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { compareCsv } from '../../src/cli/compare-report'
import { VERSION } from '../../src/core/version'
import { METHOD_CATALOG } from '../../src/experiment/catalog'
import type { ExportLayout } from '../../src/experiment/export-request'
import { createAppStore } from '../../src/store/app-store'
import { exportCautions, exportLayerName, exportLayouts } from '../../src/store/export-choices'
import {
  citeText,
  computedBy,
  exportName,
  liveMethods,
  preferredMethod,
  reportContent,
  resultsDocument,
  tableCsv,
} from '../../src/store/export-content'
import { exportedLayer, exportObstacle } from '../../src/store/export-layer'
import { pageState } from '../../src/store/selectors'
import { EXPORTED, FakeEngine, failure, VOCABULARY } from './fake-engine'

let engine: FakeEngine

const settle = () => vi.advanceTimersByTimeAsync(20)
const PACKED = { method: 'quarot', layout: 'compressed-tensors' } as const

async function compared(fragment = 'v=1&seed=5') {
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

beforeEach(() => {
  vi.useFakeTimers()
  engine = new FakeEngine()
})
afterEach(() => vi.useRealTimers())

describe('the layer', () => {
  it('is asked for with everything a number depends on', async () => {
    const store = await compared('v=1&seed=5&rule=even&pre=0&m=rtn,quarot(signs=off)')
    void store.actions.exportLayer(PACKED)
    expect(engine.lastExport.request).toMatchObject({
      setting: { id: 'W4A4', weightFormat: 'mxfp4' },
      method: { id: 'quarot', options: { signs: 'off' } },
      scaleRule: 'even',
      preScale: null,
      seed: 5,
      headDim: 32,
      layout: 'compressed-tensors',
    })
    expect(pageState(store.getState())).toBe('computing')
  })

  it('is kept for what it was asked for, and let go', async () => {
    const store = await compared()
    const done = store.actions.exportLayer(PACKED)
    engine.lastExport.emit({ kind: 'progress', progress: { stage: 'steps', done: 3, total: 9 } })
    expect(store.getState().layerExport.progress).toMatchObject({ done: 3 })
    engine.finishExport()
    await done
    expect(exportedLayer(store.getState(), PACKED)).toBe(EXPORTED)
    expect(exportedLayer(store.getState(), { ...PACKED, method: 'rtn' })).toBeNull()
    expect(exportedLayer(store.getState(), { ...PACKED, layout: 'dequantized-f32' })).toBeNull()
    expect(pageState(store.getState())).toBe('ready')
    store.actions.dropExport()
    expect(exportedLayer(store.getState(), PACKED)).toBeNull()
  })

  it('is cancelled, and what comes late is dropped', async () => {
    const store = await compared()
    const done = store.actions.exportLayer(PACKED)
    const late = engine.lastExport
    store.actions.cancelExport()
    await done
    expect(engine.cancelled).toContain(late.id)
    expect(store.getState().layerExport).toMatchObject({ runId: null, end: { kind: 'cancelled' } })
    late.emit({ kind: 'exported', exported: EXPORTED })
    expect(store.getState().layerExport.exported).toBeNull()
  })

  it('that ends without a file is a failure, not a silence', async () => {
    const store = await compared()
    const done = store.actions.exportLayer(PACKED)
    engine.lastExport.end({ kind: 'done' })
    await done
    expect(store.getState().layerExport.end).toMatchObject({ kind: 'failed', error: { code: 'BUG' } })
  })

  it('waits while the page computes', async () => {
    const store = await compared()
    store.actions.setSeed(9)
    await settle()
    expect(exportObstacle(store.getState())).toContain('computing')
    await store.actions.exportLayer(PACKED)
    expect(engine.exports).toHaveLength(0)
    engine.finish()
    await settle()
    expect(exportObstacle(store.getState())).toBeNull()
  })

  it('has the layouts of its format, and says why not the others', async () => {
    const layouts = async (setting: string) => {
      const store = await compared(`v=1&set=custom&wf=${setting}&af=16`)
      return exportLayouts(store.getState())
        .filter(({ refusal }) => refusal === null)
        .map(({ layout }) => layout)
    }
    expect(await layouts('mxfp4')).toEqual([
      'dequantized-f32',
      'dequantized-bf16',
      'compressed-tensors',
      'blocks-scales',
    ])
    expect(await layouts('mxfp6_e3m2')).toEqual(['dequantized-f32', 'dequantized-bf16'])
    const refused = await compared('v=1&set=custom&wf=mxfp6_e3m2&af=16')
    for (const { refusal } of exportLayouts(refused.getState()).slice(2)) expect(refusal).toMatch(/expected/)
  })

  it('is said to be wrong for other loaders before it is made, and right where it is', async () => {
    const cautions = async (fragment: string, method: string, layout: ExportLayout) => {
      const store = await compared(fragment)
      return exportCautions(store.getState(), { methods: METHOD_CATALOG }, { method, layout })
    }
    const scaled = 'v=1&pre=0.75'
    expect((await cautions(scaled, 'rtn', 'compressed-tensors')).join()).toContain('every value 0.75 times as large')
    expect((await cautions(scaled, 'rtn', 'blocks-scales')).join()).toContain('0.75 times')
    expect(await cautions(scaled, 'rtn', 'dequantized-f32')).toEqual([])
    expect(await cautions('v=1&pre=0', 'rtn', 'compressed-tensors')).toEqual([])
    expect((await cautions('v=1&pre=0', 'quarot', 'dequantized-f32')).join()).toMatch(/^QuaRot also .* is wrong\.$/)
    expect((await cautions('v=1&pre=0', 'awq+gptq', 'compressed-tensors')).join()).toContain('folded into the norm')
    expect((await cautions('v=1&pre=0', 'gptq+low-rank', 'compressed-tensors')).join()).toContain('low-rank branch')
  })
})

describe('names of files', () => {
  it('hold layer, setting and method, and no spaces', async () => {
    const store = await compared()
    const name = exportName(store.getState(), VOCABULARY, ['quarot+gptq'], 'safetensors')
    expect(name).toBe('q_proj-W4A4-quarot+gptq.safetensors')
  })

  it('of a layer hold format, layout, and what is not standard in the formats and the method', async () => {
    const name = async (fragment: string, layout: ExportLayout, method = 'quarot') => {
      const store = await compared(fragment)
      return exportLayerName(store.getState(), VOCABULARY, { method, layout })
    }
    expect(await name('v=1&pre=0', 'compressed-tensors')).toBe(
      'q_proj-W4A4-quarot-mxfp4-compressed-tensors.safetensors',
    )
    expect(await name('v=1&pre=0', 'dequantized-bf16')).toBe('q_proj-W4A4-quarot-mxfp4-dequantized-bf16.safetensors')
    expect(await name('v=1&pre=0.75&rule=even&bs=16&m=rtn,quarot(signs=off)', 'dequantized-f32')).toBe(
      'q_proj-W4A4-quarot-mxfp4-dequantized-f32-even-block16-pre0.75-signs_off.safetensors',
    )
    expect(await name('v=1&set=custom&wf=mxfp6_e3m2&af=16', 'dequantized-f32', 'rtn')).toBe(
      'q_proj-mxfp6_e3m2-16-rtn-dequantized-f32.safetensors',
    )
  })
})

describe('the table', () => {
  /** Cells by RFC 4180: quotes around a cell, doubled inside it. */
  const lines = (csv: string) =>
    csv
      .trimEnd()
      .split('\r\n')
      .map((line) =>
        [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
          quoted === undefined ? plain : quoted.replaceAll('""', '"'),
        ),
      )

  it('has a line per method: where it comes from, the columns of the compare command, what the page adds', async () => {
    const store = await compared()
    const [head, ...rows] = lines(tableCsv(store.getState(), VOCABULARY))
    const column = (name: string) => rows.map((row) => row[head.indexOf(name)])
    expect(column('method')).toEqual(['rtn', 'quarot', 'flatquant'])
    for (const row of rows) expect(row).toHaveLength(head.length)
    expect(head.join()).toContain(compareCsv([]).trimEnd())
    expect(column('evaluation.outputRelativeError').map(Number)).toEqual([0.1964, 0.2854, 0.1011])
    expect(rows[0].slice(0, head.indexOf('method'))).toEqual([
      ...[VERSION, 'Test adapter', 'layers/a.safetensors', 'q_proj.weight', 'q_proj.input'],
      ...['0', '16', '16', 'false', '0.5'],
    ])
    const [exact, , flatquant] = column('evaluation.outputSqnrDb').map(Number)
    const deltas = column('deltaRtnDb').map(Number)
    expect(deltas[0]).toBe(0)
    expect(deltas[2]).toBe(flatquant - exact)
    expect(deltas[2]).not.toBe(Number(deltas[2].toFixed(3)))
  })

  it('says why a method failed', async () => {
    const store = await compared()
    store.actions.setSeed(6)
    await settle()
    engine.last.emit({ kind: 'outcome', outcome: failure('quarot') })
    await settle()
    expect(tableCsv(store.getState(), VOCABULARY)).toContain('MD-01,width 1000 does not fit.')
    expect(liveMethods(store.getState())).toEqual([])
  })
})

describe('the report', () => {
  it('says answer, conditions, numbers as shown, options, versions, seed and link', async () => {
    const store = await compared('v=1&seed=5&m=rtn,quarot(signs=off)')
    const report = reportContent(store.getState(), VOCABULARY, 'https://example.org/page/')
    expect(report.title).toBe('Demo layer, W4A4')
    expect(report.answer).toContain('QuaRot 10.9 dB')
    expect(report.conditions[0]).toContain('seed 5')
    expect(report.results.rows[0].slice(0, 3)).toEqual(['RTN', '14.1', '0.0'])
    expect(report.methods[1]).toMatchObject({ name: 'QuaRot', options: 'signs=off', source: 'arXiv 2404.00456' })
    expect(Object.fromEntries(report.provenance)).toMatchObject({ Adapter: 'Test adapter', Seed: '5' })
    expect(report.link).toMatch(/^https:\/\/example\.org\/page\/#v=1&.*seed=5/)
  })

  it('shares with results and figures what they were computed on, by which version', async () => {
    const store = await compared()
    const state = store.getState()
    expect(computedBy(state)).toBe(`MXScope ${VERSION} on Test adapter`)
    expect(resultsDocument(state, VOCABULARY)).toMatchObject({
      adapter: { description: 'Test adapter' },
      choices: { seed: 5 },
    })
  })

  it('opens on the method that is pinned, else on the one pointed at, else on the best', async () => {
    const { actions, getState } = await compared('v=1&m=rtn,quarot,flatquant')
    expect(preferredMethod(getState())).toBe('flatquant')
    actions.pointMethod('rtn')
    expect(preferredMethod(getState())).toBe('rtn')
    actions.pinMethod('quarot')
    expect(preferredMethod(getState())).toBe('quarot')
    actions.toggleMethod('quarot')
    actions.pointMethod(null)
    expect(preferredMethod(getState())).toBe('flatquant')
  })

  it('cites the papers of the shown methods once', async () => {
    const store = await compared('v=1&m=rtn,quarot')
    const lines = citeText(store.getState(), VOCABULARY).trimEnd().split('\n')
    expect(lines[0]).toMatch(/^MXScope \d+\.\d+\.\d+$/)
    expect(lines).toContain('QuaRot: arXiv 2404.00456')
    expect(lines.join()).not.toContain('2410.09426')
  })
})

import { MantineProvider } from '@mantine/core'
import { act, cleanup, fireEvent, render } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { parseReport } from '../../src/experiment/bench/against'
import type { BenchReport, TimedRow } from '../../src/experiment/bench/report'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import { BenchDialog } from '../../src/ui/bench/BenchDialog'
import { StoreContext } from '../../src/ui/use-app'
import { ADAPTER, FakeEngine, VOCABULARY } from '../store/fake-engine'

let engine: FakeEngine
let store: AppStore

const later = () => new Promise((resolve) => setTimeout(resolve, 5))
const does = (work: () => unknown) =>
  act(async () => {
    work()
    await later()
  })
function hook(name: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(`[data-test="${name}"]`)
  if (!found) throw new Error(`nothing on the page is called ${name}`)
  return found
}
const press = (name: string) => does(() => fireEvent.click(hook(name)))
const said = () => hook('bench-status').textContent

const COPY: TimedRow = {
  kind: 'timed',
  name: 'copy',
  shape: '8 x 32',
  repetitions: 1,
  firstMs: 1,
  medianMs: 0.25,
  minMs: 0.2,
  maxMs: 0.5,
  cpuMs: null,
  ratioToCopy: 1,
  speedupOverNaive: null,
  ratioToProduct: null,
  rate: { kind: 'bandwidth', gigabytesPerSecond: 8 },
}
const REPORT: BenchReport = {
  adapter: ADAPTER,
  subgroups: null,
  host: { runtime: 'test', commit: null, load: null },
  rounds: 3,
  comparedBy: 'wall',
  rows: [COPY, { kind: 'refused', name: 'histogram', shape: '8 x 32', reason: 'bin 3: 1 elements too many' }],
}

beforeEach(async () => {
  engine = new FakeEngine()
  store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
  })
  render(
    <StoreContext.Provider value={store}>
      <MantineProvider>
        <BenchDialog onClose={() => {}} />
      </MantineProvider>
    </StoreContext.Provider>,
  )
})
afterEach(cleanup)

describe('the benchmark of a GPU', () => {
  it('needs an open device', async () => {
    expect([said(), hook('bench-start').hasAttribute('disabled')]).toEqual(['No GPU is open.', true])
    // Opening one schedules the first comparison, which nothing here lets start: no layer is chosen.
    await does(() => store.actions.openDevice())
    expect(hook('bench-start').hasAttribute('disabled')).toBe(false)
  })

  it('shows rows as they come and gives the report away as JSON', async () => {
    const copied = vi.spyOn(navigator.clipboard, 'writeText').mockResolvedValue()
    await does(() => store.actions.openDevice())
    await press('bench-start')
    const [{ host, emit, end }] = engine.benches
    expect(host).toMatchObject({ runtime: navigator.userAgent, load: null })
    await does(() => emit({ kind: 'row', row: COPY }))
    expect(said()).toBe('1 rows so far.')
    await does(() => {
      emit({ kind: 'report', report: REPORT })
      end({ kind: 'done' })
    })
    expect(said()).toBe('2 rows.')
    expect(hook('bench-table').textContent).toContain('copy8 x 320.2501.008.00 GB/s')
    expect(hook('bench-table').textContent).toContain('not timed: bin 3: 1 elements too many')
    await press('bench-copy')
    expect(parseReport(copied.mock.calls[0][0], 'clipboard')).toMatchObject(REPORT)
  })

  it('stops by its button, by what else the page computes, and when it is closed', async () => {
    await does(() => store.actions.openDevice())
    await press('bench-start')
    await press('bench-stop')
    expect([engine.cancelled.at(-1), said()]).toEqual([engine.benches[0].id, expect.stringMatching(/^Stopped/)])
    await press('bench-start')
    await does(() => engine.benches[1].end({ kind: 'failed', error: { kind: 'gpu', code: 'GP-04', message: 'Lost.' } }))
    expect(said()).toBe('Lost.')
    await press('bench-start')
    cleanup()
    expect(engine.cancelled.at(-1)).toBe(engine.benches[2].id)
  })
})

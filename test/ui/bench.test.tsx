import { MantineProvider } from '@mantine/core'
import { cleanup, fireEvent, render } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { parseReport } from '../../src/experiment/bench/against'
import type { BenchReport, TimedRow } from '../../src/experiment/bench/report'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import { BenchDialog } from '../../src/ui/bench/BenchDialog'
import { StoreContext } from '../../src/ui/use-app'
import { ADAPTER, FakeEngine, VOCABULARY } from '../store/fake-engine'
import { does, hook } from '../support/hooks'

let engine: FakeEngine
let store: AppStore

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
  passMs: null,
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
    expect(said()).toBe('Starting.')
    const now = vi.spyOn(performance, 'now')
    const base = performance.now()
    const timed = async (ms: number, group: number, stage: 'checking' | 'timing', done: number) => {
      now.mockReturnValue(base + ms)
      await does(() => emit({ kind: 'progress', progress: { group, groups: 5, stage, done, total: 4 } }))
    }
    await timed(2000, 1, 'checking', 1)
    expect(said()).toMatch(/^Part 1 of 5, checking 1 of 4: about [67] s left of that, [23] s so far\.$/)
    await timed(4000, 1, 'checking', 4)
    expect(said()).toMatch(/^Part 1 of 5, checking 4 of 4: [45] s so far\.$/)
    await timed(14000, 1, 'timing', 2)
    expect(said()).toMatch(/^Part 1 of 5, timing 2 of 4: about 10 s left of that, 1[45] s so far\.$/)
    await timed(15000, 2, 'checking', 1)
    expect(said()).toMatch(/^Part 2 of 5, checking 1 of 4: about 3 s left of that, 1[56] s so far\.$/)
    await does(() => emit({ kind: 'row', row: COPY }))
    expect(hook('bench-table').textContent).toContain('copy8 x 32')
    await does(() => {
      emit({ kind: 'report', report: REPORT })
      end({ kind: 'done' })
    })
    expect(said()).toMatch(/^2 rows in 1[56] s\.$/)
    now.mockRestore()
    expect(hook('bench-table').textContent).toContain('copy8 x 320.2501.008.00 GB/s')
    expect(hook('bench-table').textContent).toContain('not timed: bin 3: 1 elements too many')
    await press('bench-copy')
    expect(parseReport(copied.mock.calls[0][0], 'clipboard')).toMatchObject(REPORT)
  })

  it('stops by its button, by what else the page computes, and when it is closed', async () => {
    await does(() => store.actions.openDevice())
    await press('bench-start')
    await press('bench-stop')
    expect([engine.cancelled.at(-1), said()]).toEqual([engine.benches[0].id, 'Stopped by you.'])
    const copied = vi.spyOn(navigator.clipboard, 'writeText').mockResolvedValue()
    await press('bench-start')
    await does(() => engine.benches[1].emit({ kind: 'row', row: COPY }))
    await does(() => engine.benches[1].end({ kind: 'cancelled' }))
    expect(said()).toBe('Stopped: the page had something else to compute.')
    expect(hook('bench-reading').textContent).toContain('median of 7 ratios')
    await press('bench-copy-table')
    expect(copied.mock.lastCall?.[0]).toMatch(
      /^- adapter: Test adapter\n- ended before .*\n\n\| kernel .*\n.*\n\| copy \| 8 x 32 /,
    )
    await press('bench-start')
    await does(() => engine.benches[2].end({ kind: 'failed', error: { kind: 'gpu', code: 'GP-04', message: 'Lost.' } }))
    expect(said()).toBe('Lost.')
    await press('bench-start')
    cleanup()
    expect(engine.cancelled.at(-1)).toBe(engine.benches[3].id)
  })
})

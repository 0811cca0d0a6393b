import { act, cleanup, fireEvent, render } from '@testing-library/react'
import type { ReactNode } from 'react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import { App } from '../../src/ui/App'
import { analysisOf } from '../figures/fixtures'
import { FACTS, FakeEngine, result, VOCABULARY } from '../store/fake-engine'
import { has, hook, later } from '../support/hooks'

vi.mock('../../src/ui/plot/Plot', () => ({
  Plot: ({ label, children }: { label: string; children?: ReactNode }) => (
    <div>
      <p data-test="caption">{label}</p>
      {children}
    </div>
  ),
}))

let engine: FakeEngine
let store: AppStore

async function open(fragment: string) {
  store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
  })
  render(<App store={store} />)
  await act(async () => {
    await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
    await later()
  })
  await shown('panel-scales')
}

/** The view is loaded when it is opened. */
const shown = (name: string) =>
  vi.waitFor(
    async () => {
      await act(later)
      hook(name)
    },
    { timeout: 30_000 },
  )

beforeEach(() => {
  engine = new FakeEngine()
})
afterEach(cleanup)

describe('the Scales view', () => {
  it('shows where each method stands, then exponents per method and four figures over all', async () => {
    await open('#view=scales')
    expect(hook('scales-rtn').dataset.result).toBe('waiting')
    expect(hook('scales-rtn').textContent).toContain('Waiting')
    expect(has('panel-error-split')).toBe(false)
    await act(async () => {
      engine.finish()
      await later()
    })
    expect(hook('scales-quarot').dataset.result).toBe('live')
    expect(hook('scales-quarot').textContent).toContain('QuaRot: X′ takes ')
    expect(hook('panel-error-split').textContent).toContain('Without pre-scale, share of the squared output error')
    expect(hook('panel-pre-scale-sweep').textContent).toContain('0.75, in use, is')
    expect(hook('panel-block-size-sweep').textContent).toContain('Block size: output SQNR')
    expect(hook('panel-clipping').textContent).toContain('9.8 % of W′')
  })

  it('takes a factor over that its sweep found better than the one in use', async () => {
    await open('#view=scales&m=rtn')
    await act(async () => {
      const scaleAnalysis = analysisOf(0.2, [0.1, 0.2, 0.3], 40)
      engine.last.emit({ kind: 'outcome', outcome: { ...result('rtn'), scaleAnalysis } })
      engine.last.end({ kind: 'done' })
      await later()
    })
    expect(hook('panel-pre-scale-sweep').textContent).toContain('0.75, in use, is 0.9 dB below the best.')
    const button = hook('pre-scale-better').querySelector('button')
    expect(button?.textContent).toBe('Use 0.9 (best for RTN)')
    await act(async () => {
      button?.click()
      await later()
    })
    expect(store.getState().setup.preScale).toEqual({ on: true, factor: 0.9, variant: 'exact' })
  })

  it('draws what is measured while the rest is not', async () => {
    await open('#view=scales')
    await act(async () => {
      engine.last.emit({ kind: 'layer', layer: FACTS })
      engine.finish({ rtn: 0.2, quarot: 0.2, flatquant: 0.2 })
      await later()
      store.actions.setMethodOption('quarot', 'signs', 'off')
      await later()
    })
    expect(hook('scales-quarot').dataset.result).toBe('stale')
    expect(hook('scales-quarot').textContent).toContain('previous setting')
    expect(hook('panel-error-split').textContent).not.toContain('QuaRot')
    expect(hook('panel-scales').textContent).toContain('Measured so far: RTN, FlatQuant.')
  })

  it('gives the numbers of a figure as a table', async () => {
    await open('#view=scales')
    await act(async () => {
      engine.finish()
      await later()
    })
    const details = hook('panel-pre-scale-sweep').querySelector('details')
    if (!details) throw new Error('the figure has a table')
    await act(async () => {
      details.open = true
      fireEvent(details, new Event('toggle'))
    })
    expect(details.textContent).toContain('pre-scale factor, exact variant [×]')
    expect(details.querySelectorAll('tbody tr')).toHaveLength(15)
  })

  it('says why there is nothing without an MX operand', async () => {
    await open('#view=scales&set=custom&wf=int4&af=nvfp4&m=rtn')
    const none = { weightScales: null, activationScales: null, split: null, preScaleSweep: null, blockSizeSweep: null }
    await act(async () => {
      const [setting] = engine.last.request.settings
      const { id, ...formats } = setting
      engine.last.emit({ kind: 'outcome', outcome: { ...result('rtn', id), ...formats, scaleAnalysis: none } })
      engine.last.end({ kind: 'done' })
      await later()
    })
    expect(hook('scales-rtn').textContent).toContain('Nothing to show: no operand has power-of-two scales')
    expect(hook('panel-error-split').textContent).toContain('No operand has power-of-two scales')
    expect(hook('panel-pre-scale-sweep').textContent).toContain('No operand has a 4-bit MX format')
    expect(hook('panel-clipping').textContent).toContain('of W′')
  })

  it('says so when no method is chosen', async () => {
    store = createAppStore(engine, {
      vocabulary: VOCABULARY,
      fetchLayer: async (file) => new File([file], file),
      now: () => 0,
      debounceMs: 0,
    })
    render(<App store={store} />)
    await act(async () => {
      await Promise.all([store.actions.openDevice(), store.actions.applyLink('#view=scales&m=-rtn')])
    })
    await vi.waitFor(
      async () => {
        await act(later)
        expect(document.querySelector('main')?.textContent).toContain('No method is chosen')
      },
      { timeout: 30_000 },
    )
  })
})

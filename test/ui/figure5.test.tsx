import { act, cleanup, fireEvent, render } from '@testing-library/react'
import { type ReactNode, useEffect, useRef } from 'react'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createAppStore } from '../../src/store/app-store'
import { App } from '../../src/ui/App'
import { FakeEngine, VOCABULARY } from '../store/fake-engine'
import { tensor } from '../store/fake-sources'
import { hook } from '../support/hooks'

const WIDTH = 240

/** Stands for a drawn figure: an area WIDTH px wide that counts how often it is drawn. */
const drawn = vi.hoisted(() => ({ count: 0 }))
vi.mock('../../src/ui/plot/Plot', () => {
  interface Props {
    figure: object
    label: string
    children?: ReactNode
    onFirstDrawn?: (host: HTMLElement) => void
  }
  const Plot = ({ figure, label, children, onFirstDrawn }: Props) => {
    const host = useRef<HTMLDivElement>(null)
    // biome-ignore lint/correctness/useExhaustiveDependencies: drawn again for a new figure
    useEffect(() => {
      drawn.count += 1
    }, [figure])
    // biome-ignore lint/correctness/useExhaustiveDependencies: once, as Plotly does
    useEffect(() => {
      const element = Object.assign(host.current as HTMLDivElement, { on: () => {} })
      const area = element.querySelector('.nsewdrag') as HTMLElement
      area.getBoundingClientRect = () => new DOMRect(0, 0, WIDTH, 100)
      onFirstDrawn?.(element)
    }, [])
    return (
      <figure>
        <div ref={host}>
          <span className="nsewdrag" />
        </div>
        <figcaption>{label}</figcaption>
        {children}
      </figure>
    )
  }
  return { Plot }
})

let engine: FakeEngine
beforeEach(() => {
  engine = new FakeEngine()
  drawn.count = 0
})
afterEach(cleanup)

const later = () => new Promise((resolve) => setTimeout(resolve, 40))

async function open(fragment = '#view=figure5') {
  const store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
  })
  render(<App store={store} />)
  await act(async () => {
    await import('../../src/ui/figure5/Figure5View')
    await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
    await later()
    engine.finish()
    await later()
  })
  return store
}

const ROWS = ['loaded', 'rtn', 'quarot', 'flatquant']
const readouts = () =>
  ROWS.map((id) => document.querySelector(`[data-test="figure5-channel-${id}"]`)?.textContent ?? '')
const marks = (kind: string) => document.querySelectorAll(`[data-mark="${kind}"]`).length
const area = (row: string, figure: string) =>
  hook(`figure5-${row}`).querySelector(`[data-figure="${figure}"] .nsewdrag`) as HTMLElement

it('has a row per method below the tensor as loaded, with its numbers and three figures', async () => {
  await open()
  for (const id of ROWS) {
    expect(hook(`figure5-kurtosis-${id}`).textContent).toMatch(/^\d+\.\d$/)
    expect(hook(`figure5-${id}`).querySelectorAll('figure').length).toBe(3)
  }
  fireEvent.click(hook('figure5-by-norm'))
  expect(hook('figure5-rtn').querySelector('[data-figure="flatness"]')).not.toBeNull()
  expect(hook('figure5-rtn').querySelector('[data-figure="channels"]')).toBeNull()
  // Its magnitudes are of another unit than those of a rotation.
  expect(hook('figure5-flatquant').textContent).toContain('after its channel scale')
  expect(hook('figure5-quarot').textContent).not.toContain('after its channel scale')
})

it('marks the channel under the pointer in every row without drawing again, and a click pins it', async () => {
  const store = await open()
  const before = drawn.count
  // 24 channels on 240 px: 75 px is channel 7.
  await act(async () => {
    fireEvent.pointerMove(area('quarot', 'map'), { clientX: 75, clientY: 50 })
    await later()
  })
  for (const text of readouts()) expect(text).toMatch(/^channel 7: max [\d.]+, rms [\d.]+$/)
  expect([marks('pointed'), marks('pinned')]).toEqual([2 * ROWS.length, 0])
  await act(async () => {
    fireEvent.pointerDown(area('rtn', 'channels'), { clientX: 75, clientY: 50, button: 0 })
    fireEvent.pointerUp(window, { clientX: 76, clientY: 50 })
    fireEvent.pointerLeave(area('quarot', 'map').parentElement as HTMLElement)
    await later()
  })
  expect(store.getState().highlight.pinnedChannel).toBe(7)
  expect([marks('pointed'), marks('pinned')]).toEqual([0, 2 * ROWS.length])
  for (const text of readouts()) expect(text).toMatch(/^channel 7/)
  expect(drawn.count).toBe(before)
  await act(async () => {
    fireEvent.pointerDown(area('loaded', 'map'), { clientX: 75, clientY: 50, button: 0 })
    fireEvent.pointerUp(window, { clientX: 75, clientY: 50 })
    await later()
  })
  expect(store.getState().highlight.pinnedChannel).toBeNull()
})

it('takes no drag, no press outside the plot and no other button for a click', async () => {
  const store = await open()
  const press = (down: object, up: object) => {
    fireEvent.pointerDown(area('rtn', 'map'), { button: 0, clientX: 75, clientY: 50, ...down })
    fireEvent.pointerUp(window, { clientX: 75, clientY: 50, ...up })
  }
  press({}, { clientX: 120 })
  press({ clientY: 130 }, { clientY: 130 })
  press({ button: 2 }, {})
  fireEvent.pointerDown(area('rtn', 'map'), { button: 0, clientX: 75, clientY: 50 })
  fireEvent.pointerCancel(window)
  fireEvent.pointerUp(window, { clientX: 75, clientY: 50 })
  expect(store.getState().highlight.pinnedChannel).toBeNull()
})

it('marks a channel at its place in a sorted axis', async () => {
  await open('#view=figure5&f5=norm&pin=c7')
  const line = hook('figure5-rtn').querySelector<HTMLElement>('[data-figure="flatness"] [data-mark="pinned"]')
  const table = hook('figure5-rtn').querySelectorAll<HTMLDetailsElement>('[data-figure="flatness"] details')[0]
  table.open = true
  await act(async () => {
    fireEvent(table, new Event('toggle'))
    await later()
  })
  const rank = [...table.querySelectorAll('tbody tr')].findIndex((row) => row.children[1].textContent === '7')
  expect(rank).toBeGreaterThanOrEqual(0)
  expect(Number.parseFloat(line?.style.left ?? '')).toBeCloseTo((WIDTH * (rank + 0.5)) / 24, 3)
})

it('computes another side on request and says how far it is', async () => {
  await open('#view=figure5&f5=w')
  await act(async () => {
    engine.lastProfiles.emit({ kind: 'started', method: 'quarot' })
    await later()
  })
  expect(hook('figure5-quarot').textContent).toContain('Computing')
  expect(hook('figure5-rtn').textContent).toContain('Waiting')
  await act(async () => {
    engine.finishProfiles()
    await later()
  })
  expect(hook('figure5-quarot').dataset.state).toBe('drawn')
  fireEvent.click(hook('figure5-quantized'))
  expect(hook('figure5-max-quarot').textContent).toBe('6.00')
})

it('offers every matrix of the open files and says why one stays as it is', async () => {
  engine.listings['layers/a.safetensors'] = [
    tensor('q_proj.weight', [64, 64]),
    tensor('q_proj.input', [32, 64]),
    tensor('k_proj.weight', [16, 64]),
    tensor('down.input', [32, 80]),
    tensor('norm.weight', [64]),
  ]
  await open('#view=figure5&f5=t')
  const offered = () => [...hook('panel-figure5').querySelectorAll('option')].map(({ value }) => value)
  expect(offered()).toEqual(expect.arrayContaining(['k_proj.weight', 'down.input']))
  expect(offered()).not.toContain('norm.weight')
  const choose = async (value: string) => {
    await act(async () => {
      fireEvent.change(hook('figure5-tensor'), { target: { value } })
      await later()
    })
  }
  await choose('k_proj.weight')
  expect(hook('figure5-alone').textContent).toContain('by its name it is a parameter')
  await choose('down.input')
  expect(hook('figure5-alone').textContent).toContain("the layer's input is 64 channels wide")
  await choose('nothing')
  expect(hook('panel-figure5').textContent).toContain('No matrix of the open files is called so')
})

it('leads to the Rotation view', async () => {
  const store = await open()
  await act(async () => {
    fireEvent.click(hook('figure5-rotation'))
    await later()
  })
  expect(store.getState().view.view).toBe('rotation')
})

it('offers to try again what failed', async () => {
  await open('#view=figure5&f5=w')
  await act(async () => {
    engine.lastProfiles.end({ kind: 'failed', error: { kind: 'gpu', code: 'GP-03', message: 'out of GPU memory' } })
    await later()
  })
  expect(hook('panel-figure5').textContent).toContain('GP-03 out of GPU memory')
  await act(async () => {
    fireEvent.click(hook('figure5-retry'))
    await later()
  })
  expect(engine.profileRuns.length).toBe(2)
})

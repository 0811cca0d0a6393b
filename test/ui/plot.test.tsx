import { act, cleanup, render, screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { FigureSpec } from '../../src/figures/figure'
import { setSurfaceCamera } from '../../src/ui/plot/camera'
import { FigureData } from '../../src/ui/plot/FigureData'
import { Plot } from '../../src/ui/plot/Plot'
import { Surface } from '../../src/ui/plot/Surface'

/** Stands for Plotly: draws one empty SVG, remembers what it was asked. */
const plotly = vi.hoisted(() => ({
  react: vi.fn(async (host: HTMLElement, _data: unknown, layout: Record<string, unknown>, _config: unknown) => {
    host.innerHTML = '<svg class="main-svg"></svg>'
    // The real one writes into the layout it is given.
    layout.width = 700
    return Object.assign(host, { on: vi.fn(), layout: { scene: {} } })
  }),
  purge: vi.fn(),
  relayout: vi.fn(),
  toImage: vi.fn(async () => 'data:image/png;base64,AAAA'),
}))
const load = vi.hoisted(() => ({ flat: vi.fn(), surface: vi.fn(), webGl: true }))
vi.mock('../../src/ui/plot/plotly-loader', () => ({ loadPlotly: load.flat, loadPlotlyWithSurface: load.surface }))
vi.mock('../../src/ui/plot/live-scene', async (original) => ({
  ...(await original<typeof import('../../src/ui/plot/live-scene')>()),
  hasWebGl: () => load.webGl,
}))
vi.mock('@mantine/hooks', () => ({ useElementSize: () => ({ ref: () => {}, width: 240, height: 200 }) }))

const figureNamed = (name: string): FigureSpec => ({ data: [{ type: 'scatter', name }], layout: { margin: { t: 4 } } })
const flat = figureNamed('flat')

beforeEach(() => {
  vi.clearAllMocks()
  load.webGl = true
  load.flat.mockResolvedValue(plotly)
  load.surface.mockResolvedValue(plotly)
})
afterEach(cleanup)

const drawn = () => waitFor(() => expect(document.querySelector('[data-drawing="drawn"]')).not.toBeNull())

it('draws inside a figure whose caption is the label, and hides the drawing from assistive technology', async () => {
  render(<Plot figure={flat} label="QuaRot: maximum 11.4" />)
  await drawn()
  expect(screen.getByRole('figure').querySelector('figcaption')?.textContent).toBe('QuaRot: maximum 11.4')
  expect(document.querySelector('svg.main-svg')?.getAttribute('aria-hidden')).toBe('true')
})

it('never offers the cloud, and shows the tool bar only when enlarged', async () => {
  const { rerender } = render(<Plot figure={flat} label="a" />)
  await drawn()
  rerender(<Plot figure={flat} label="a" enlarged />)
  await waitFor(() => expect(plotly.react).toHaveBeenCalledTimes(2))
  const configs = plotly.react.mock.calls.map((call) => call[3])
  for (const config of configs) {
    expect(config).toMatchObject({ displaylogo: false, showSendToCloud: false, plotlyServerURL: '' })
  }
  expect(configs).toMatchObject([{ displayModeBar: false }, { displayModeBar: true }])
})

it('leaves the figure it was given untouched', async () => {
  const figure = figureNamed('own')
  const before = structuredClone(figure)
  render(<Plot figure={figure} label="a" />)
  await drawn()
  expect(figure).toEqual(before)
})

it('draws again for a new figure, not for a new label, and purges when it goes', async () => {
  const { rerender, unmount } = render(<Plot figure={flat} label="a" />)
  await drawn()
  rerender(<Plot figure={flat} label="b" />)
  rerender(<Plot figure={figureNamed('next')} label="b" />)
  await waitFor(() => expect(plotly.react).toHaveBeenCalledTimes(2))
  expect(plotly.react.mock.calls[1][1]).toMatchObject([{ name: 'next' }])
  expect(plotly.purge).not.toHaveBeenCalled()
  unmount()
  expect(plotly.purge).toHaveBeenCalledTimes(1)
})

it('draws one plot per animation frame', async () => {
  const frames: number[] = []
  let frame = 0
  vi.stubGlobal('requestAnimationFrame', (run: (time: number) => void) =>
    setTimeout(() => {
      frame += 1
      run(frame)
    }),
  )
  plotly.react.mockImplementation(async (host) => {
    frames.push(frame)
    return Object.assign(host, { on: vi.fn(), layout: { scene: {} } })
  })
  render([1, 2, 3, 4].map((key) => <Plot key={key} figure={flat} label={String(key)} />))
  await waitFor(() => expect(frames.length).toBe(4))
  vi.unstubAllGlobals()
  expect(new Set(frames).size).toBe(4)
})

it('says why when Plotly cannot be loaded', async () => {
  load.flat.mockRejectedValue(new Error('the chunk did not arrive'))
  render(<Plot figure={flat} label="a" />)
  expect((await screen.findByRole('alert')).textContent).toContain('the chunk did not arrive')
})

it('shows a surface as a still until it is turned on, and only one at a time live', async () => {
  const user = userEvent.setup()
  const [one, two] = [figureNamed('one'), figureNamed('two')]
  render([one, two].map((figure, i) => <Surface key={String(i)} figure={figure} flat={flat} label={`surface ${i}`} />))
  await waitFor(() => expect(document.querySelectorAll('[data-still="image"]').length).toBe(2))
  const [still] = plotly.toImage.mock.calls[0] as unknown as [{ layout: { scene: { aspectratio: { z: number } } } }]
  expect(still.layout.scene.aspectratio.z).toBeCloseTo((1.3 * 200) / 240, 12)
  expect(plotly.react).not.toHaveBeenCalled()

  await user.click(screen.getAllByRole('button', { name: 'Turn in 3-D' })[0])
  await drawn()
  expect(plotly.react.mock.calls[0][1]).toMatchObject([{ name: 'one' }])
  await user.click(screen.getByRole('button', { name: 'Turn in 3-D' }))
  await waitFor(() => expect(plotly.react.mock.calls.at(-1)?.[1]).toMatchObject([{ name: 'two' }]))
  expect(plotly.purge).toHaveBeenCalledTimes(1)
  expect(screen.getAllByRole('button', { name: 'Keep this view' }).length).toBe(1)
})

it('turns all surfaces by the buttons of the live one', async () => {
  const user = userEvent.setup()
  render(<Surface figure={figureNamed('one')} flat={flat} label="surface" />)
  await user.click(screen.getByRole('button', { name: 'Turn in 3-D' }))
  await drawn()
  const eyeOf = (call: number) => {
    const layout = plotly.react.mock.calls[call][2] as {
      scene: { camera: { eye: { x: number; y: number; z: number } } }
    }
    return layout.scene.camera.eye
  }
  await user.click(screen.getByRole('button', { name: 'Look from higher' }))
  await waitFor(() => expect(plotly.react).toHaveBeenCalledTimes(2))
  const [before, after] = [eyeOf(0), eyeOf(1)]
  expect(after.z).toBeGreaterThan(before.z)
  expect(Math.hypot(after.x, after.y, after.z)).toBeCloseTo(Math.hypot(before.x, before.y, before.z), 12)
  act(() => setSurfaceCamera({ eye: { x: 3, y: 0, z: 1 }, center: { x: 0, y: 0, z: 0 }, up: { x: 0, y: 0, z: 1 } }))
  await waitFor(() => expect(eyeOf(plotly.react.mock.calls.length - 1).y).toBe(0))
})

it('turns all surfaces when the live one is dragged', async () => {
  const user = userEvent.setup()
  const handlers = new Map<string, (event: unknown) => void>()
  plotly.react.mockImplementation(async (host) =>
    Object.assign(host, {
      on: vi.fn((name: string, run: (event: unknown) => void) => handlers.set(name, run)),
      layout: { scene: {} },
    }),
  )
  render([1, 2].map((key) => <Surface key={key} figure={figureNamed(String(key))} flat={flat} label="surface" />))
  await user.click(screen.getAllByRole('button', { name: 'Turn in 3-D' })[0])
  await drawn()
  await waitFor(() => expect(document.querySelector('[data-still="image"]')).not.toBeNull())
  const camera = { eye: { x: 0, y: 2.9, z: 1.45 }, center: { x: 0, y: 0, z: 0 }, up: { x: 0, y: 0, z: 1 } }
  act(() => handlers.get('plotly_relayout')?.({ 'scene.camera': camera }))
  await waitFor(() => {
    const [still] = plotly.toImage.mock.calls.at(-1) as unknown as [{ layout: { scene: { camera: typeof camera } } }]
    expect(still.layout.scene.camera.eye.y).toBeCloseTo(2.9, 12)
  })
})

it('shows the flat map, and says so, where there is no WebGL', async () => {
  load.webGl = false
  render(<Surface figure={figureNamed('one')} flat={flat} label="surface" />)
  await drawn()
  expect(plotly.react.mock.calls[0][1]).toMatchObject([{ name: 'flat' }])
  expect(screen.getByText(/Surfaces need WebGL/)).toBeTruthy()
  expect(screen.queryByRole('button')).toBeNull()
})

it('shows the flat map when a still fails', async () => {
  plotly.toImage.mockRejectedValueOnce(new Error('context lost'))
  render(<Surface figure={figureNamed('one')} flat={flat} label="surface" />)
  expect(await screen.findByText(/could not be drawn: context lost/)).toBeTruthy()
})

it('lists the numbers of a figure when asked, a few hundred rows at a time', async () => {
  const user = userEvent.setup()
  const table = vi.fn(() => ({
    columns: ['step', '√L'],
    rows: Array.from({ length: 300 }, (_, i) => [String(i), '0.1']),
  }))
  render(<FigureData name="Training" table={table} />)
  expect(table).not.toHaveBeenCalled()
  const details = document.querySelector('details')
  if (!details) throw new Error('no details element')
  details.open = true
  act(() => void details.dispatchEvent(new Event('toggle')))
  expect(document.querySelectorAll('tr').length).toBe(257)
  await user.click(screen.getByRole('button', { name: 'Show 44 more of 44' }))
  expect(document.querySelectorAll('tr').length).toBe(301)
})

import { act, cleanup, fireEvent, render, within } from '@testing-library/react'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createAppStore } from '../../src/store/app-store'
import { App } from '../../src/ui/App'
import { FakeEngine, VOCABULARY } from '../store/fake-engine'
import { hook, later } from '../support/hooks'

vi.mock('../../src/ui/plot/Plot', () => ({ Plot: ({ label }: { label: string }) => <p>{label}</p> }))

let engine: FakeEngine
beforeEach(() => {
  engine = new FakeEngine()
})
afterEach(cleanup)

/** The page with the Formats view open; the device never answers. */
async function open() {
  engine.device = { ok: false, error: { kind: 'unsupported', code: 'GP-01', message: 'no WebGPU' } }
  const store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async () => {
      throw new Error('offline')
    },
    now: () => 0,
    debounceMs: 0,
  })
  store.actions.setView('formats')
  render(<App store={store} />)
  await act(async () => {
    await store.actions.openDevice()
    await import('../../src/ui/formats/FormatsView')
    await later()
  })
  return store
}

const input = (name: string) => {
  const element = hook(name)
  return element.matches('input') ? (element as HTMLInputElement) : (element.querySelector('input') as HTMLInputElement)
}

async function type(name: string, text: string) {
  await act(async () => {
    fireEvent.change(input(name), { target: { value: text } })
    fireEvent.blur(input(name))
    await later()
  })
}

const codes = () => [0, 1, 2, 3].map((row) => hook(`line-code-${row}`).textContent)
const cells = (table: string, row: number) =>
  within(within(hook(table)).getAllByRole('row')[row + 1])
    .getAllByRole('cell')
    .map((cell) => cell.textContent)

it('shows four formats without a layer and without a GPU, and what they make of x', async () => {
  await open()
  await type('line-pre-scale', '1')
  expect(codes()).toEqual([
    '0|10|1 is 3 × 2⁰ = 3',
    '0|10|1 is 3 × 448 × 0.002232143 = 3.0000002',
    '0011 is 3 × 0.85714287 = 2.5714285',
    '0|1110|011 is 176 × 2⁻⁶ = 2.75',
  ])
  expect(cells('line-table', 0)).toEqual(['0|10|1', '3 × 2⁰ = 3', '0.3', '(2.5, 3.5)', '0.5'])
  expect(hook('line-row-0').querySelectorAll('path').length).toBeGreaterThan(3)
  await type('line-value', '-5.1')
  expect(codes()[0]).toBe('1|11|1 is −6 × 2⁰ = −6')
  expect(cells('format-facts', 3)).toEqual(['8', '448', '2⁻⁶', '2⁻⁹', '253', '32', 'E8M0, floor', '8.25'])
})

it('follows the pre-scale, which reaches 4-bit MX elements only, and goes back to the setting', async () => {
  const store = await open()
  expect(codes()[0]).toBe('0|10|0 is 2 × 2⁰ ÷ 0.75 = 2.6666667')
  await type('line-pre-scale', '0.9')
  expect(codes()[0]).toBe('0|10|0 is 2 × 2⁰ ÷ 0.9 = 2.2222223')
  expect(codes()[3]).toBe('0|1110|011 is 176 × 2⁻⁶ = 2.75')
  expect(store.getState().setup.preScale.factor).toBe(0.75)
  fireEvent.click(hook('line-pre-scale-reset'))
  expect(codes()[0]).toBe('0|10|0 is 2 × 2⁰ ÷ 0.75 = 2.6666667')
})

it('adds, changes and removes formats, with their options', async () => {
  const store = await open()
  fireEvent.change(hook('line-add'), { target: { value: 'bf16' } })
  expect(hook('line-code-4').textContent).toBe('0|10000000|0101101 is 2.703125')
  fireEvent.change(hook('line-format-2-scheme'), { target: { value: 'asym' } })
  expect(store.getState().formats.rows[2]).toBe('int4(scheme=asym)')
  expect(hook('line-row-2').textContent).toContain('fp32 0.8, zero point 7')
  fireEvent.click(hook('line-remove-0'))
  expect(store.getState().formats.rows).toEqual(['nvfp4', 'int4(scheme=asym)', 'mxfp8_e4m3', 'bf16'])
})

it('scales all MX formats by one exponent', async () => {
  await open()
  fireEvent.click(hook('line-by-exponent'))
  await type('line-exponent', '-2')
  expect(hook('line-row-0').textContent).toContain('byte 0x7D, 2⁻² = 0.25')
  expect(hook('line-row-3').textContent).toContain('byte 0x7D, 2⁻² = 0.25')
  expect(hook('line-row-2').textContent).toContain('fp32 0.2142857')
})

it('zooms by its fields and shows all again', async () => {
  const store = await open()
  await type('line-to', '2')
  expect(store.getState().formats.range).toMatchObject({ to: 2 })
  fireEvent.click(within(hook('panel-formats')).getByRole('button', { name: 'Show all' }))
  expect(store.getState().formats.range).toBeNull()
  fireEvent.click(hook('line-log'))
  expect(store.getState().formats.axis).toBe('log')
  expect(document.querySelector(`label[for="${input('line-from').id}"]`)?.textContent).toBe('|x| from')
})

it('rounds what is under the pointer, and keeps it when clicked', async () => {
  const store = await open()
  const strip = [...hook('line-row-0').querySelectorAll('svg')].at(-1)?.parentElement as HTMLElement
  strip.getBoundingClientRect = () => ({ left: 0, width: 640 }) as DOMRect
  fireEvent.pointerMove(strip, { clientX: 320 })
  expect(codes()[0]).toBe('0|00|0 is 0 × 2⁰ ÷ 0.75 = 0')
  expect(hook('line-table').textContent).toContain('under the pointer')
  fireEvent.pointerLeave(strip)
  expect(codes()[0]).not.toContain(' = 0')
  fireEvent.pointerDown(strip, { clientX: 640 })
  expect(store.getState().formats.value).toBeGreaterThan(7)
})

it('names every control and says in a sentence what it is', async () => {
  await open()
  for (const name of ['line-value', 'line-maximum', 'line-from', 'line-to', 'line-pre-scale']) {
    const control = input(name)
    expect(document.querySelector(`label[for="${control.id}"]`)?.textContent, name).toMatch(/\w|=/)
    expect(control.getAttribute('aria-description'), name).toMatch(/\w{3,} .*\.$/)
  }
})

it('tells two rows of one format apart, and says what four over six is decided on', async () => {
  await open()
  fireEvent.change(hook('line-add'), { target: { value: 'mxfp4' } })
  expect(hook('line-row-0').querySelector('b')?.textContent).toBe('MXFP4')
  expect(hook('line-row-4').querySelector('b')?.textContent).toBe('MXFP4 (2)')
  expect(document.querySelector('[data-test="line-remark-1"]')).toBeNull()
  fireEvent.change(hook('line-format-1-four-over-six'), { target: { value: 'mse' } })
  expect(hook('line-remark-1').textContent).toContain('the maximum alone is scaled to 6')
})

it('folds the table of results, and keeps it open where it was opened', async () => {
  const store = await open()
  const region = () => hook('results-fold').parentElement
  expect(hook('results-fold').getAttribute('aria-expanded')).toBe('false')
  expect(region()?.dataset.folded).toBe('true')
  fireEvent.click(hook('results-fold'))
  expect(region()?.dataset.folded).toBe('false')
  act(() => store.actions.setView('blocks'))
  expect(region()?.dataset.folded).toBe('true')
  act(() => store.actions.setView('distribution'))
  expect(document.querySelector('[data-test="results-fold"]')).toBeNull()
  act(() => store.actions.setView('formats'))
  expect(region()?.dataset.folded).toBe('false')
})

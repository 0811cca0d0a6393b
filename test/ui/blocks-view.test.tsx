import { act, cleanup, fireEvent, render, within } from '@testing-library/react'
import type { ReactNode } from 'react'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { formatF32 } from '../../src/figures/format-f32'
import { encodeBlock } from '../../src/formats/codec'
import { decodeElement } from '../../src/formats/codec-element'
import { parseFormat } from '../../src/formats/format-text'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { createAppStore } from '../../src/store/app-store'
import { App } from '../../src/ui/App'
import { FAKE_IN_DIM, FakeEngine, VOCABULARY } from '../store/fake-engine'
import { hook, later } from '../support/hooks'

/** Stands for the drawn map: hands out what the page listens to. */
const plotly = vi.hoisted(() => ({ click: (_event: { points: { x: number; y: number }[] }) => {} }))
vi.mock('../../src/ui/plot/Plot', async () => {
  const { useEffect } = await import('react')
  interface Props {
    label: string
    children?: ReactNode
    onFirstDrawn?: (host: HTMLElement) => void
  }
  return {
    Plot: ({ label, children, onFirstDrawn }: Props) => {
      useEffect(() => {
        const on = (_: string, handler: typeof plotly.click) => {
          plotly.click = handler
        }
        onFirstDrawn?.({ on } as unknown as HTMLElement)
      }, [])
      return (
        <div>
          <p data-test="caption">{label}</p>
          {children}
        </div>
      )
    },
  }
})

let engine: FakeEngine
beforeEach(() => {
  engine = new FakeEngine()
})
afterEach(cleanup)

async function open(fragment = '') {
  const store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
  })
  render(<App store={store} />)
  await act(async () => {
    await import('../../src/ui/blocks/BlocksView')
    await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
    await later()
  })
  await act(later)
  return store
}

const heading = () => document.querySelector('#block-heading')?.textContent
const column = (at: number) =>
  within(hook('block-table'))
    .getAllByRole('row')
    .slice(2)
    .map((row) => row.querySelectorAll('td')[at - 1]?.textContent)

it('opens the first block of the weight, and the block a click on the map hits', async () => {
  await open('#view=blocks')
  expect(hook('caption').textContent).toMatch(
    /^Shared exponent, MXFP4, rule floor: −6 throughout over 64 output rows x 2 blocks\. Largest \|value\| .*\.$/,
  )
  expect(heading()).toBe('Block 0 · output row 0 · channels 0–31')
  await act(async () => {
    plotly.click({ points: [{ x: 1.2, y: 7.4 }] })
    await later()
  })
  expect(heading()).toBe(`Block 1 · output row 7 · channels 32–${FAKE_IN_DIM - 1}`)
  expect(hook('block-notes').textContent).toBe('A short last block: 28 of 32 elements.')
})

it('shows the codes the codec gives, under both formats', async () => {
  await open('#view=blocks&pre=0&pin=x,3,0')
  expect(heading()).toBe('Block 0 · token 3 · channels 0–31')
  const values = engine.blockValues('activations', 3)
  const quantizer = makeQuantizer(parseFormat('mxfp4'), STANDARD_MX)
  const { codes } = encodeBlock(values.subarray(0, 32), quantizer)
  const bits = (code: number) => code.toString(2).padStart(4, '0')
  expect(column(2)).toEqual(Array.from(codes, (code) => `${bits(code)[0]}|${bits(code).slice(1, 3)}|${bits(code)[3]}`))
  expect(column(3)).toEqual(Array.from(codes, (code) => formatF32(decodeElement(quantizer.format.element, code))))
  const derivations = [...hook('block-table').querySelectorAll('tbody tr')].map(
    (row) => row.querySelectorAll('td')[3].title,
  )
  expect(derivations.every((title, i) => title.startsWith(`${column(3)[i]} × 2`))).toBe(true)
  expect(hook('blocks-panel').textContent).toContain('NVFP4: the block scale is rounded to E4M3')
  expect(hook('block-facts-1').textContent).toMatch(
    /^channels 0–15: byte 0x\w\w, E4M3 .* SQNR [\d.]+ dB, zeroed \d+ of 32/,
  )
  expect(within(hook('block-rules-0')).getAllByRole('row').length).toBe(7)
  expect(document.querySelector('[data-test="block-rules-1"]')).toBeNull()
})

it('moves by arrow keys on the map and by its fields, within the operand', async () => {
  await open('#view=blocks')
  const press = (key: string) =>
    act(async () => {
      fireEvent.keyDown(hook('blocks-map'), { key })
      await later()
    })
  await press('ArrowDown')
  await press('ArrowRight')
  await press('ArrowRight')
  expect(heading()).toContain('Block 1 · output row 1')
  await press('ArrowUp')
  await press('ArrowUp')
  expect(heading()).toContain('output row 0')
  const row = hook('blocks-row')
  await act(async () => {
    fireEvent.change(row, { target: { value: '63' } })
    fireEvent.blur(row)
    await later()
  })
  expect(heading()).toContain('output row 63')
})

it('changes a reconstruction with the pre-scale, and not the setting', async () => {
  const store = await open('#view=blocks')
  const before = column(4)
  const field = hook('block-pre-scale')
  await act(async () => {
    fireEvent.change(field, { target: { value: '0.6' } })
    fireEvent.blur(field)
    await later()
  })
  expect(column(4)).not.toEqual(before)
  expect(store.getState().setup.preScale.factor).toBe(0.75)
  fireEvent.click(hook('block-pre-scale-reset'))
  expect(column(4)).toEqual(before)
})

it('says what is special about zeros and about a NaN', async () => {
  engine.blockValues = () => new Float32Array(FAKE_IN_DIM)
  await open('#view=blocks')
  expect(hook('block-notes').textContent).toContain('Every element is zero')
  expect(hook('block-facts-0').textContent).toContain('SQNR – dB')
  cleanup()
  engine = new FakeEngine()
  engine.blockValues = () => new Float32Array(FAKE_IN_DIM).fill(Number.NaN)
  await open('#view=blocks')
  expect(hook('block-notes').textContent).toContain('NaN or an infinity')
  expect(hook('block-facts-0').textContent).toContain('byte 0xFF, NaN')
})

it('says what it lacks, explains itself, and says what failed', async () => {
  engine.device = { ok: false, error: { kind: 'unsupported', code: 'GP-01', message: 'no WebGPU' } }
  await open('#view=blocks')
  expect(hook('panel-state').textContent).toContain('Needs WebGPU')
  cleanup()
  engine = new FakeEngine()
  engine.lookError = { kind: 'gpu', code: 'GP-03', message: 'out of GPU memory' }
  await open('#view=blocks')
  expect(hook('panel-blocks').textContent).toContain('Formats with shared scales cut every row into blocks')
  expect(within(hook('panel-blocks')).getByRole('alert').textContent).toContain('out of GPU memory (GP-03)')
  engine.lookError = null
  await act(async () => {
    fireEvent.click(within(hook('panel-blocks')).getByRole('button', { name: 'Try again' }))
    await later()
  })
  expect(heading()).toContain('Block 0')
})

it('opens as a sheet and goes back to the map', async () => {
  const store = await open('#view=blocks')
  fireEvent.click(hook('blocks-open'))
  expect(hook('blocks-panel').dataset.sheet).toBe('true')
  fireEvent.keyDown(hook('blocks-panel'), { key: 'Escape' })
  expect(store.getState().blocks.sheet).toBe(false)
})

it('shows one format at a time where a phone asks for it', async () => {
  await open('#view=blocks')
  const table = () => hook('block-table').querySelector('table')
  expect(table()?.dataset.side).toBe('0')
  fireEvent.click(hook('block-table-side-1'))
  expect(table()?.dataset.side).toBe('1')
  expect(table()?.querySelectorAll('thead [data-of="1"]').length).toBe(5)
})

it('labels the ends of the axis of its bars, and its zero', async () => {
  await open('#view=blocks&pin=x,3,0')
  const text = hook('block-side-0').textContent
  const limit = Math.max(...engine.blockValues('activations', 3).subarray(0, 32).map(Math.abs))
  expect(text).toContain('value, in the unit of X')
  expect(text).toMatch(/unit of X(\d[\d.]*)0−\1/)
  expect(Number(/unit of X([\d.]+?)0−/.exec(text ?? '')?.[1])).toBeGreaterThanOrEqual(Number(limit.toPrecision(2)))
})

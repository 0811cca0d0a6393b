import { act, cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import type { ReactNode } from 'react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { MemoryPlan } from '../../src/experiment/memory-plan'
import { createAppStore } from '../../src/store/app-store'
import { App } from '../../src/ui/App'
import { ADAPTER, FACTS, FakeEngine, failure, result, VOCABULARY } from '../store/fake-engine'
import { tensor } from '../store/fake-sources'
import { has, hook, later } from '../support/hooks'

// Drawing is covered by the tests of the figures and of Plot; here the caption stands for the figure.
vi.mock('../../src/ui/plot/Plot', () => ({
  Plot: ({ label, children }: { label: string; children?: ReactNode }) => (
    <div>
      <p data-test="caption">{label}</p>
      {children}
    </div>
  ),
}))

let engine: FakeEngine

function open(fragment = '') {
  const store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
  })
  render(<App store={store} />)
  return act(async () => {
    await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
    await later()
  })
}

async function finish(errors?: Readonly<Record<string, number>>) {
  await act(async () => {
    engine.finish(errors)
    await later()
  })
}

beforeEach(() => {
  engine = new FakeEngine()
})
afterEach(() => {
  cleanup()
  vi.restoreAllMocks()
})

describe('the page', () => {
  it('shows shell and waiting tiles at once, then the numbers as they come', async () => {
    await open()
    expect(document.body.dataset).toMatchObject({ state: 'computing', device: 'webgpu' })
    expect(hook('tile-rtn').dataset.result).toBe('waiting')
    act(() => engine.last.emit({ kind: 'started', method: 'flatquant', setting: 'W4A4' }))
    const progress = { stage: 'step', done: 40, total: 120, loss: 0.21 }
    act(() => engine.last.emit({ kind: 'progress', method: 'flatquant', setting: 'W4A4', progress }))
    expect(hook('tile-flatquant').dataset.result).toBe('running')
    expect(hook('tile-flatquant').textContent).toContain('Step 40 of 120')
    const plan = { peakBytes: 212e6, limitBytes: 2 ** 30, pieces: { weightPieces: 3 } } as MemoryPlan
    act(() => engine.last.emit({ kind: 'plan', plan }))
    expect(hook('run-bar').textContent).toContain('step 40 of 120 · plan 212 MB in 3 pieces')
    await finish()
    expect(document.body.dataset.state).toBe('ready')
    expect(hook('tile-flatquant').dataset.result).toBe('live')
    expect(hook('sqnr-rtn').textContent).toBe('14.1')
    expect(hook('relative-error-quarot').textContent).toBe('0.2854')
    expect(hook('calibration-error-quarot').textContent).toBe('0.2569')
    expect(hook('answer').textContent).toContain('Demo layer, W4A4: FlatQuant 19.9 dB, RTN 14.1 dB, QuaRot 10.9 dB')
  })

  it('names every control and says in a sentence what it is', async () => {
    await open()
    for (const name of ['setting-scale-rule', 'setting-ties', 'setting-seed', 'setting-pre-scale', 'source-tensor']) {
      const control = hook(name)
      const input = control.matches('input, select') ? control : control.querySelector('input, select')
      const label = document.querySelector(`label[for="${input?.id}"]`)
      expect(label?.textContent, name).toMatch(/\w/)
      expect(input?.getAttribute('aria-description'), name).toMatch(/\w{3,} .*\.$/)
    }
  })
})

describe('settings and methods', () => {
  it('runs again for another setting and keeps the old results, marked, meanwhile', async () => {
    await open()
    await finish()
    fireEvent.click(hook('setting-w8a8'))
    await act(later)
    expect(engine.last.request.settings[0].id).toBe('W8A8')
    expect(hook('tile-rtn').dataset.result).toBe('stale')
    expect(hook('tile-rtn').textContent).toContain('previous setting, W4A4')
    // As long as nothing else is there, what is left shares its axes; then it has its own.
    expect(hook('tile-quarot').textContent).not.toContain('own axes')
    act(() => engine.last.emit({ kind: 'outcome', outcome: result('rtn', 'W8A8', 0.02) }))
    expect(hook('tile-rtn').textContent).not.toContain('own axes')
    expect(hook('tile-quarot').textContent).toContain('previous setting, W4A4 · own axes')
    await finish({ rtn: 0.02, quarot: 0.07, flatquant: 0.01 })
    expect(hook('sqnr-rtn').textContent).toBe('34.0')
    expect(hook('tile-rtn').textContent).not.toContain('previous')
  })

  it('does not compare what is left from before with the baseline of now', async () => {
    await open()
    await finish()
    fireEvent.click(hook('setting-w8a8'))
    await act(later)
    const difference = () => within(hook('table-row-quarot')).getAllByRole('cell')[1].textContent
    act(() => engine.last.emit({ kind: 'outcome', outcome: result('rtn', 'W8A8', 0.02) }))
    expect(hook('tile-quarot').dataset.result).toBe('stale')
    expect(difference()).toBe('–')
    await finish({ rtn: 0.02, quarot: 0.04, flatquant: 0.01 })
    expect(difference()).toBe('−6.0')
  })

  it('switches methods off and on by their chips', async () => {
    const user = userEvent.setup()
    await open()
    await user.click(hook('method-quarot'))
    expect(hook('method-quarot').getAttribute('aria-pressed')).toBe('false')
    expect(has('tile-quarot')).toBe(false)
    await user.click(hook('method-quarot'))
    expect(has('tile-quarot')).toBe(true)
  })

  it('offers the options of a method and sends them with the next run', async () => {
    // Without layout the focus trap finds nothing visible to focus, and says so at length.
    vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const user = userEvent.setup()
    await open()
    await user.click(hook('method-options-quarot'))
    await waitFor(() => hook('option-quarot-signs'))
    await user.selectOptions(hook('option-quarot-signs'), 'off')
    await act(later)
    const sent = engine.last.request.methods.find(({ id }) => id === 'quarot')
    expect(sent?.options).toEqual({ signs: 'off' })
  })

  it('sorts the table by a column', async () => {
    await open()
    await finish()
    const order = () => {
      const [reference, ...rows] = [...document.querySelectorAll('tbody tr')].map((row) =>
        row.getAttribute('data-test'),
      )
      expect(reference).toBe('table-reference')
      return rows
    }
    expect(order()).toEqual(['table-row-rtn', 'table-row-quarot', 'table-row-flatquant'])
    fireEvent.click(hook('sort-sqnr'))
    expect(order()).toEqual(['table-row-flatquant', 'table-row-rtn', 'table-row-quarot'])
    expect(hook('sort-sqnr').closest('th')?.getAttribute('aria-sort')).toBe('descending')
  })

  it('opens a row of the table for all its numbers and notes', async () => {
    const user = userEvent.setup()
    await open()
    const notes = ['Random signs from seed 0.']
    act(() => engine.last.emit({ kind: 'outcome', outcome: { ...result('quarot'), onlineOperations: 1024, notes } }))
    expect(has('details-quarot')).toBe(false)
    await user.click(hook('details-button-quarot'))
    const text = hook('details-quarot').textContent
    for (const part of [
      'cosine',
      'max absolute error',
      'clipped',
      '0.12 %',
      'zeroed',
      'multiply-adds per token1,024',
      ...notes,
    ]) {
      expect(text).toContain(part)
    }
    expect(hook('details-button-quarot').getAttribute('aria-expanded')).toBe('true')
    await user.click(hook('details-button-quarot'))
    expect(has('details-quarot')).toBe(false)
  })

  it('computes the missing settings when Error is opened', async () => {
    await open()
    await finish()
    fireEvent.click(hook('view-error'))
    await act(later)
    expect(engine.last.request.settings.map(({ id }) => id)).toEqual(['W8A8', 'W4A8', 'W4A16'])
    expect(hook('run-bar').textContent).toContain('3 of 12 results')
  })
})

describe('tiles', () => {
  const tileCount = () => document.querySelectorAll('[data-test^="tile-"][data-result]').length

  it('shows what a method has to say in its enlarged tile, which Escape closes', async () => {
    const user = userEvent.setup()
    await open()
    const noted = { ...result('quarot'), notes: ['Random signs from seed 0.'] }
    act(() => engine.last.emit({ kind: 'outcome', outcome: noted }))
    expect(has('tile-notes')).toBe(false)
    await user.click(screen.getByRole('button', { name: 'Enlarge QuaRot' }))
    expect(tileCount()).toBe(1)
    expect(screen.getByRole('button', { name: 'Reduce QuaRot' })).toBeTruthy()
    expect(hook('tile-notes').textContent).toBe('Random signs from seed 0.')
    await user.keyboard('{Escape}')
    expect(tileCount()).toBe(3)
  })

  it('offers no larger form of a tile that is alone', async () => {
    await open('m=rtn')
    expect(tileCount()).toBe(1)
    expect(screen.queryByRole('button', { name: /Enlarge|Reduce/ })).toBeNull()
  })

  it('spells out what stands beside the headline', async () => {
    await open()
    await finish()
    expect(hook('tile-rtn').textContent).toMatch(/max 3\.\d+ · kurtosis 1\.5/)
    expect(hook('tile-rtn').textContent).toContain('14.1 dB')
  })
})

describe('the conditions under the answer', () => {
  it('say what was noticed about the layer', async () => {
    await open()
    const facts = { ...FACTS, notes: ['input dimension 172 is not a multiple of 32'] }
    act(() => engine.last.emit({ kind: 'layer', layer: facts }))
    expect(hook('conditions').textContent).toContain('input dimension 172 is not a multiple of 32')
    expect(hook('conditions').dataset.open).toBe('false')
    fireEvent.click(hook('conditions-unfold'))
    expect(hook('conditions').dataset.open).toBe('true')
    expect(hook('conditions').textContent).toContain('pre-scale 3/4')
  })

  it('say that the pre-scale reaches nothing without a 4-bit operand', async () => {
    await open('set=w8a8')
    act(() => engine.last.emit({ kind: 'layer', layer: FACTS }))
    expect(hook('conditions').textContent).toContain('pre-scale off (no 4-bit MX operand)')
  })
})

it('helps with a view tab while the mouse rests on it, until it is used', async () => {
  const user = userEvent.setup()
  await open()
  await user.hover(hook('view-channels'))
  expect((await screen.findByRole('tooltip', undefined, { timeout: 2_000 })).textContent).toContain('root-mean-square')
  await user.click(hook('view-channels'))
  await waitFor(() => expect(screen.queryByRole('tooltip')).toBeNull())
  expect(hook('view-channels').getAttribute('aria-description')).toContain('root-mean-square')
})

describe('what goes wrong', () => {
  it('stops on Cancel and offers Run', async () => {
    await open()
    await act(async () => {
      fireEvent.click(hook('cancel'))
      await later()
    })
    expect(hook('run-bar').textContent).toContain('3 of 3 results are missing')
    expect(hook('tile-rtn').textContent).toContain('Not computed')
    fireEvent.click(hook('run'))
    expect(engine.runs).toHaveLength(2)
  })

  it('keeps what a cancelled method has learned, says so, and runs it again', async () => {
    await open('view=training')
    expect(document.body.textContent).toContain('Waiting for FlatQuant.')
    act(() => {
      engine.last.emit({ kind: 'outcome', outcome: result('rtn') })
      engine.last.emit({ kind: 'started', method: 'flatquant', setting: 'W4A4' })
      for (const [done, loss] of [0.5, 0.3, 0.4].entries()) {
        const progress = { stage: 'FlatQuant', done, total: 120, loss }
        engine.last.emit({ kind: 'progress', method: 'flatquant', setting: 'W4A4', progress })
      }
    })
    const caption = () => hook('panel-training').textContent
    await waitFor(() => expect(caption()).toContain('FlatQuant under W4A4: at step 2 of 120'))
    await act(async () => {
      fireEvent.click(hook('cancel'))
      await later()
    })
    await waitFor(() => expect(caption()).toContain('FlatQuant under W4A4: cancelled at step 2 of 120'))
    expect(hook('table-row-flatquant').textContent).toContain('cancelled at step 2 of 120')
    expect(hook('table-row-quarot').textContent).toContain('not computed')
    expect(hook('answer').textContent).toContain('(1 of 3 methods; FlatQuant cancelled, 1 not computed)')
    fireEvent.click(hook('run-again-flatquant'))
    expect(engine.last.request.methods.map(({ id }) => id)).toEqual(['quarot', 'flatquant'])
  })

  it('keeps a row and a tile for a failed method, with its reason', async () => {
    await open()
    act(() => engine.last.emit({ kind: 'outcome', outcome: failure('quarot') }))
    expect(hook('tile-quarot').dataset.result).toBe('failed')
    expect(hook('tile-quarot').textContent).toContain('MD-01 width 1000 does not fit.')
    expect(hook('table-row-quarot').textContent).toContain('width 1000 does not fit.')
  })

  it('says beside the drop zone why a file was refused, and keeps the layer', async () => {
    await open()
    await finish()
    engine.listings['bad.safetensors'] = { kind: 'file', code: 'ST-06', message: 'byte 1,204: not valid UTF-8.' }
    const input = hook('drop').querySelector('input')
    if (input) await userEvent.upload(input, new File(['x'], 'bad.safetensors'))
    await waitFor(() => hook('banner-ST-06'))
    expect(hook('banner-ST-06').textContent).toContain('bad.safetensors: byte 1,204')
    expect(hook('layer-title').textContent).toContain('Demo layer › q_proj')
    expect(hook('tile-rtn').dataset.result).toBe('live')
  })

  it('tells what to do without WebGPU, and still lists the tensors', async () => {
    engine.device = { ok: false, error: { kind: 'unsupported', code: 'GP-00', message: 'found none' } }
    await open()
    expect(document.body.dataset).toMatchObject({ state: 'error', device: 'none' })
    expect(hook('banner-GP-00').textContent).toContain('npm run -s mxscope -- compare')
    expect(hook('panel-state').textContent).toContain('Needs WebGPU')
    expect(document.querySelectorAll('[data-test="tensor-row"]')).toHaveLength(2)
    engine.device = { ok: true, value: ADAPTER }
    await act(async () => {
      fireEvent.click(hook('retry-device'))
      await later()
    })
    expect(has('banner-GP-00')).toBe(false)
    expect(engine.runs).toHaveLength(1)
  })

  it('keeps the results when the device is lost, and starts again', async () => {
    await open()
    await finish()
    await act(() => engine.loseDevice())
    expect(hook('banner-GP-04').textContent).toContain('Results on screen are complete')
    expect(hook('sqnr-rtn').textContent).toBe('14.1')
    await act(async () => {
      fireEvent.click(hook('start-again'))
      await later()
    })
    expect(has('banner-GP-04')).toBe(false)
  })
})

describe('tensors and activations', () => {
  it('greys tensors that cannot be a weight, with the reason', async () => {
    engine.listings['layers/a.safetensors'] = [tensor('w.weight', [64, 64]), tensor('norm.weight', [64])]
    await open()
    const rows = [...document.querySelectorAll<HTMLButtonElement>('[data-test="tensor-row"]')]
    expect(rows.map(({ disabled }) => disabled)).toEqual([true, false])
    expect(rows[0].title).toContain('1 dimensions instead of 2')
  })

  it('marks synthetic activations as such and says why they are used', async () => {
    engine.listings['layers/a.safetensors'] = [tensor('w.weight', [64, 64])]
    await open()
    const section = document.querySelector('[aria-labelledby="activations-heading"]')
    expect(section?.textContent).toContain('Synthetic: seeded random numbers')
    expect(section?.textContent).toContain('expected a floating-point tensor with last axis 64, found none')
    expect(hook('source-file').closest('label')?.getAttribute('data-disabled')).toBe('true')
  })

  it('shows the search only for lists worth searching', async () => {
    engine.listings['layers/a.safetensors'] = Array.from({ length: 12 }, (_, i) => tensor(`l${i}.weight`, [64, 64]))
    await open()
    fireEvent.change(hook('tensor-search'), { target: { value: 'L11' } })
    expect(document.querySelectorAll('[data-test="tensor-row"]')).toHaveLength(1)
  })
})

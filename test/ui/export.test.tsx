import { act, cleanup, fireEvent } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AppStore } from '../../src/store/app-store'
import { FakeEngine } from '../store/fake-engine'
import { does, has, hook, later } from '../support/hooks'
import { openPage } from '../support/page'

vi.mock('../../src/ui/plot/Plot', () => ({ Plot: ({ label }: { label: string }) => <p>{label}</p> }))

let engine: FakeEngine
let store: AppStore

async function open(fragment: string) {
  store = await openPage(engine, fragment)
}

/** Opens the dialog, which is loaded then, as the keys are a moment after the page. */
async function openDialog(press: () => void) {
  await vi.waitFor(
    async () => {
      if (!has('export-dialog')) await does(press)
      await act(later)
      hook('export-dialog')
    },
    { timeout: 15_000 },
  )
}
const byKey = () => fireEvent.keyDown(document.documentElement, { key: 'e' })

beforeEach(() => {
  engine = new FakeEngine()
})
afterEach(cleanup)

describe('the export dialog', () => {
  it('opens by the key e, but not while one types', async () => {
    await open('m=rtn,quarot')
    await does(() => engine.finish())
    await openDialog(byKey)
    for (const group of ['layer', 'recipe', 'data', 'figures', 'report', 'link'])
      expect(has(`export-group-${group}`)).toBe(true)
    await does(() => hook('export-close').click())
    expect(has('export-dialog')).toBe(false)
    await does(() => fireEvent.keyDown(document.querySelector('input') ?? document.body, { key: 'e' }))
    expect(has('export-dialog')).toBe(false)
  })

  it('prepares the layer of the method chosen, says what a plain loader ignores, and lets it go when it closes', async () => {
    await open('m=rtn,quarot&pin=mquarot')
    await does(() => engine.finish())
    await openDialog(() => hook('export').click())
    expect(hook('export-method')).toHaveProperty('value', 'quarot')
    expect(hook('export-cautions').textContent).toContain('QuaRot also changes the activations')
    expect(hook('export-group-layer').textContent).not.toContain('vLLM')
    await does(() => hook('export-prepare').click())
    expect(engine.lastExport.request).toMatchObject({ method: { id: 'quarot' }, layout: 'compressed-tensors' })
    await does(() => engine.finishExport())
    expect(hook('export-warnings').textContent).toContain('A plain loader ignores the rotation.')
    expect(hook('export-tensors').textContent).toContain('q_proj.weight_packed U8 [64, 32]')
    expect(hook('export-group-layer').textContent).toMatch(/q_proj-W4A4-quarot-mxfp4-compressed-tensors.*\.safetensors/)
    expect(has('export-config')).toBe(true)
    const isAbove = hook('export-warnings').compareDocumentPosition(hook('export-layer'))
    expect(isAbove & Node.DOCUMENT_POSITION_FOLLOWING).toBeTruthy()
    await does(() => hook('export-close').click())
    expect(store.getState().layerExport.exported).toBeNull()
  })

  it('names who reads a packed layer only where nothing of it is lost on them', async () => {
    await open('m=rtn&pre=0')
    await does(() => engine.finish({ rtn: 0.2 }))
    await openDialog(byKey)
    expect(has('export-cautions')).toBe(false)
    expect(hook('export-group-layer').textContent).toContain('vLLM read them')
    await does(() => hook('export-close').click())
    await does(() => store.actions.setPreScale({ on: true }))
    await does(() => engine.finish({ rtn: 0.2 }))
    await openDialog(byKey)
    expect(hook('export-cautions').textContent).toContain('0.75 times as large')
    expect(hook('export-group-layer').textContent).not.toContain('vLLM')
  })

  it('shows why a layer could not be written', async () => {
    await open('m=rtn')
    await does(() => engine.finish({ rtn: 0.2 }))
    await openDialog(byKey)
    await does(() => hook('export-prepare').click())
    const error = { kind: 'input', code: 'EX-01', message: 'reading it back gave 3 different codes.' } as const
    await does(() => engine.lastExport.end({ kind: 'failed', error }))
    expect(hook('export-error-EX-01').getAttribute('role')).toBe('alert')
  })

  it('lists every deviation of the recipe before it is saved, and has none for weights in 16 bits', async () => {
    await open('m=rtn,flatquant')
    await does(() => engine.finish({ rtn: 0.2, flatquant: 0.1 }))
    await openDialog(byKey)
    expect(hook('export-deviations').textContent).toContain('FlatQuant does not exist in LLM Compressor')
    expect(hook('export-recipe-preview').textContent).toMatch(/^# Plain rounding \(RTN\), not FlatQuant/)
    expect(hook('export-nearest').textContent).toContain('Plain rounding (RTN), not FlatQuant')
    expect(hook('export-group-recipe').textContent).toContain('q_proj-W4A4-nearest-rtn-recipe.yaml')
    expect(hook('export-group-recipe').textContent).toContain('q_proj-W4A4-nearest-rtn-quantize.py')
    expect(hook('export-group-recipe').textContent).not.toContain('calibration data you name')
    await does(() => hook('export-close').click())
    await does(() => store.actions.setFormat('weightFormat', null))
    await does(() => engine.finish({ rtn: 0.2, flatquant: 0.1 }))
    await openDialog(byKey)
    expect(hook('export-group-recipe').textContent).toContain('RE-01')
  })

  it('has nothing to save before there is a result', async () => {
    await open('m=rtn')
    await openDialog(byKey)
    expect(hook('export-csv')).toHaveProperty('disabled', true)
    expect(hook('export-group-layer').textContent).toContain('computing')
  })
})

import { openAsBlob } from 'node:fs'
import { expect, test } from 'vitest'
import type { ExportEvent, ExportRequest } from '../../src/experiment/export-request'
import { parseSetting } from '../../src/experiment/settings'
import { STANDARD_MX } from '../../src/formats/quantizer'
import { createEngine } from '../../src/worker/engine'
import type { EngineApi, LayerChoice } from '../../src/worker/protocol'
import { sharedNavigatorGpu } from '../support/gpu'
import { parseSafetensors } from '../support/safetensors-bytes'

async function newEngine(): Promise<{ engine: EngineApi; choice: LayerChoice }> {
  const gpu = await sharedNavigatorGpu()
  const engine = createEngine({ gpu: () => gpu, now: () => performance.now() })
  const path = new URL('../golden/layers/layer-a.safetensors', import.meta.url)
  const answer = await engine.openFile(new File([await openAsBlob(path)], 'layer-a.safetensors'))
  if (!answer.ok) throw new Error(answer.error.message)
  const fileId = answer.value.id
  const activations = { kind: 'captured', fileId, tensor: 'calib.input' } as const
  const weight = { fileId, tensor: 'layer.weight' }
  return { engine, choice: { weight, activations, heldOutShare: 0.5, firstToken: 0, tokens: 64 } }
}

const requestOf = (change: Partial<ExportRequest> = {}): ExportRequest => ({
  ...STANDARD_MX,
  setting: parseSetting('W4A16'),
  method: { id: 'gptq', options: {} },
  seed: 1,
  headDim: null,
  layout: 'compressed-tensors',
  ...change,
})

test('an export tells its progress, ends with the file, and can cross to the page', async () => {
  const { engine, choice } = await newEngine()
  const events: ExportEvent[] = []
  const end = await engine.exportLayer('export-1', choice, requestOf(), (event) => events.push(event))
  expect(end).toEqual({ kind: 'done' })
  expect(events.slice(0, -1).every(({ kind }) => kind === 'progress')).toBe(true)
  expect(events.length).toBeGreaterThan(1)
  const last = events.at(-1)
  if (last?.kind !== 'exported') throw new Error('no file')
  const { file, tensors, errors } = last.exported
  const written = parseSafetensors(file)
  expect([...written.keys()]).toEqual(tensors.map(({ name }) => name))
  expect(written.get('layer.weight_packed')?.shape).toEqual([256, 128])
  // Half of 64 rows is held out, and no part of the fit.
  expect(errors.calibration?.tokens).toBe(32)
  expect(structuredClone(last)).toEqual(last)
})

test('what cannot be written ends the run with its error, and a run after it goes on', async () => {
  const { engine, choice } = await newEngine()
  const refused = requestOf({ setting: parseSetting('nvfp4/16'), layout: 'blocks-scales' })
  expect(await engine.exportLayer('export-1', choice, refused, () => {})).toMatchObject({
    ...{ kind: 'failed', error: { kind: 'input', code: 'PK-06' } },
  })
  const first: ExportEvent[] = []
  const learned = requestOf({ method: { id: 'flatquant', options: { steps: 5000 } } })
  const [ended, next] = await Promise.all([
    engine.exportLayer('export-2', choice, learned, (event) => first.push(event)),
    engine.exportLayer('export-3', choice, requestOf({ method: { id: 'rtn', options: {} } }), () => {}),
  ])
  expect([ended, next]).toEqual([{ kind: 'cancelled' }, { kind: 'done' }])
  expect(first.some(({ kind }) => kind === 'exported')).toBe(false)
})

import { openAsBlob } from 'node:fs'
import { expect, test } from 'vitest'
import type { ProfileEvent, ProfileRequest } from '../../src/experiment/profile-request'
import type { MethodResult } from '../../src/experiment/result'
import { parseSetting } from '../../src/experiment/settings'
import { createEngine } from '../../src/worker/engine'
import type { EngineApi, LayerChoice, RunEvent } from '../../src/worker/protocol'
import { sharedNavigatorGpu } from '../support/gpu'

async function newEngine(): Promise<{ engine: EngineApi; choice: LayerChoice }> {
  const gpu = await sharedNavigatorGpu()
  const engine = createEngine({ gpu: () => gpu, now: () => performance.now() })
  const path = new URL('../golden/layers/layer-a.safetensors', import.meta.url)
  const answer = await engine.openFile(new File([await openAsBlob(path)], 'layer-a.safetensors'))
  if (!answer.ok) throw new Error(answer.error.message)
  const fileId = answer.value.id
  return {
    engine,
    choice: {
      weight: { fileId, tensor: 'layer.weight' },
      activations: { kind: 'captured', fileId, tensor: 'calib.input' },
      heldOutShare: 0.5,
      firstToken: 0,
      tokens: 64,
    },
  }
}

const CHOICES = {
  scaleRule: 'floor',
  rounding: 'half-even',
  preScale: null,
  blockSize: 32,
  seed: 3,
  headDim: null,
} as const

function requestOf(change: Partial<ProfileRequest> = {}): ProfileRequest {
  const methods = ['rtn', 'quarot'].map((id) => ({ id, options: {} }))
  return { ...CHOICES, setting: parseSetting('W4A4'), methods, tensor: null, ...change }
}

test('profiles on request are those a comparison measures, and more', async () => {
  const { engine, choice } = await newEngine()
  const results: MethodResult[] = []
  const collect = (event: RunEvent) => {
    if (event.kind === 'outcome' && event.outcome.kind === 'result') results.push(event.outcome)
  }
  const { setting, tensor: _, ...rest } = requestOf()
  await engine.run('run-1', choice, { ...rest, settings: [setting], scaleAnalysis: false }, collect)
  const events: ProfileEvent[] = []
  const end = await engine.runProfiles('profiles-1', choice, requestOf(), (event) => events.push(event))
  expect(end).toEqual({ kind: 'done' })
  expect(events.map(({ kind }) => kind)).toEqual(['loaded', 'started', 'profiled', 'started', 'profiled'])
  const profiled = events.flatMap((event) => (event.kind === 'profiled' ? [event] : []))
  expect(profiled.map(({ profiles }) => profiles.activations?.transformed)).toEqual(
    results.map(({ profile }) => profile),
  )
  expect(profiled.map(({ profiles }) => profiles.error?.quantized?.maxAbsolute)).toEqual(
    results.map(({ evaluation }) => evaluation.maxAbsoluteError),
  )
  expect(structuredClone(events)).toEqual(events)

  const other: ProfileEvent[] = []
  const tensor = { fileId: choice.weight.fileId, tensor: 'calib.input' }
  await engine.runProfiles('profiles-2', choice, requestOf({ tensor }), (event) => other.push(event))
  expect(other.map(({ kind }) => kind)).toEqual(['loaded', 'started', 'profiled', 'started', 'profiled'])
  const missing = { ...tensor, tensor: 'nothing' }
  expect(await engine.runProfiles('profiles-3', choice, requestOf({ tensor: missing }), () => {})).toMatchObject({
    kind: 'failed',
    error: { code: 'TS-06' },
  })
  await engine.loseDevice()
})

test('a comparison ends a run over profiles', async () => {
  const { engine, choice } = await newEngine()
  const { setting, tensor: _, ...rest } = requestOf()
  const [first, second] = await Promise.all([
    engine.runProfiles('profiles-1', choice, requestOf(), () => {}),
    engine.run('run-1', choice, { ...rest, settings: [setting], scaleAnalysis: false }, () => {}),
  ])
  expect([first, second]).toEqual([{ kind: 'cancelled' }, { kind: 'done' }])
  await engine.loseDevice()
})

import { expect, test } from 'vitest'
import { exportText } from '../../src/cli/export-text'

const entry = (name: string, facts: unknown) => ({ [`mxscope.export.${name}`]: JSON.stringify(facts) })

test('what the page wrote is said in full, with what must run beside the weight', () => {
  const facts = {
    ...{ method: 'low-rank', options: { rank: 8 }, seed: 3, setting: 'W4A4' },
    ...{ weightFormat: 'mxfp4', activationFormat: 'mxfp4', outputFormat: null },
    ...{ scaleRule: 'floor', rounding: 'half-even', blockSize: 32, preScale: { factor: 0.75, variant: 'literal' } },
    ...{ headDim: null, layout: 'compressed-tensors' },
  }
  const beside = { 'mxscope.online.a.weight': '[]', 'mxscope.low_rank.a.weight': '{}' }
  expect(exportText({ format: 'pt', ...entry('a.weight', facts), ...beside })).toEqual([
    'a.weight: written by MXScope: method low-rank (rank=8), setting W4A4, weight mxfp4, activations mxfp4, ' +
      'scale rule floor, rounding half-even, block 32, pre-scale 0.75 literal, seed 3, layout compressed-tensors' +
      '; activations go through steps beside it; a low-rank branch is beside it',
  ])
  expect(exportText({ ...entry('a.weight', facts) })[0]).not.toContain('beside it')
})

test('without a pre-scale it is off, and formats that have none say nothing of it', () => {
  const weight = { format: 'mxfp4', scaleRule: 'ceil', preScale: null, preScaleVariant: null }
  expect(exportText(entry('w', { method: 'rtn', weight }))).toEqual([
    'w: written by MXScope: method rtn, scale rule ceil, pre-scale off',
  ])
  expect(exportText(entry('w', { method: 'rtn', weight: { group: 'row' } }))).toEqual([
    'w: written by MXScope: method rtn, block row',
  ])
})

test('metadata that is not ours is left alone', () => {
  expect(exportText({ 'mxscope.export.w': 'no JSON', 'mxscope.export.v': '[1]', format: 'pt' })).toEqual([])
})

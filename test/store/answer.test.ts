import { describe, expect, it } from 'vitest'
import { answerLine } from '../../src/store/answer'
import { FACTS, METHODS, result } from './fake-engine'

const input = {
  layer: 'Llama layer with outlier channels',
  setting: 'W4A4',
  remark: null,
  results: [result('rtn', 'W4A4', 0.1964), result('quarot', 'W4A4', 0.2854), result('flatquant', 'W4A4', 0.1011)],
  asked: 3,
  failed: 0,
  running: true,
  cancelled: [],
  catalog: METHODS,
  facts: FACTS,
}

describe('answerLine', () => {
  it('ranks the methods and says what rotation loses', () => {
    expect(answerLine(input)).toBe(
      'Llama layer with outlier channels, W4A4: FlatQuant 19.9 dB, RTN 14.1 dB, QuaRot 10.9 dB output SQNR; ' +
        'rotation loses 3.2 dB to RTN on this layer.',
    )
  })

  it('says what rotation gains, and when the two cannot be told apart', () => {
    const gain = [result('rtn', 'W4A4', 0.2), result('quarot', 'W4A4', 0.1)]
    expect(answerLine({ ...input, results: gain, asked: 2 })).toContain('rotation gains 6.0 dB over RTN on this layer')
    const level = [result('rtn', 'W4A4', 0.2), result('quarot', 'W4A4', 0.206)]
    expect(answerLine({ ...input, results: level, asked: 2 })).toContain(
      'rotation and RTN are within 0.3 dB on this layer',
    )
  })

  it('does not lay to the rotation what another mitigation did', () => {
    const starred = { ...METHODS[1], id: 'quarot+gptq', label: 'QuaRot*', column: 'gptq' }
    const results = [...input.results, result('quarot+gptq', 'W4A4', 0.15)]
    const line = answerLine({ ...input, results, asked: 4, catalog: [...METHODS, starred] })
    expect(line).toContain('QuaRot* 16.5 dB')
    expect(line).toContain('rotation loses 3.2 dB to RTN')
  })

  it('writes a pair of formats by their labels', () => {
    const remark = 'blocks of 64 (non-standard)'
    expect(answerLine({ ...input, remark })).toContain(', W4A4, blocks of 64 (non-standard): FlatQuant 19.9 dB')
    expect(answerLine({ ...input, setting: 'mxfp6_e2m3/16' })).toContain(', MXFP6 E2M3 / as loaded: FlatQuant 19.9 dB')
  })

  it('draws no conclusion before all methods are in', () => {
    const line = answerLine({ ...input, results: input.results.slice(0, 2) })
    expect(line).toContain('(2 of 3 methods so far)')
    expect(line).not.toContain('rotation loses')
  })

  it('says of missing methods, when nothing runs, which were cancelled and how many were not computed', () => {
    const cancelled = { ...input, results: input.results.slice(0, 1), running: false, cancelled: ['flatquant'] }
    expect(answerLine({ ...cancelled, asked: 2 })).toContain('(1 of 2 methods; FlatQuant cancelled)')
    expect(answerLine(cancelled)).toContain('(1 of 3 methods; FlatQuant cancelled, 1 not computed)')
    expect(answerLine({ ...cancelled, cancelled: [] })).toContain('(1 of 3 methods; 2 not computed)')
  })

  it('names failures, synthetic activations and reused rows', () => {
    const facts = { ...FACTS, sameRows: true, activations: { kind: 'synthetic', description: 'x', seed: 0 } as const }
    const line = answerLine({ ...input, results: input.results.slice(0, 2), failed: 1, facts })
    expect(line).toMatch(/1 method failed\. Activations are synthetic\. Measured on the calibration rows\.$/)
  })

  it('is silent without a result', () => {
    expect(answerLine({ ...input, results: [] })).toBeNull()
  })
})

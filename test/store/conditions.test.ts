import { describe, expect, it } from 'vitest'
import { settingOf } from '../../src/experiment/settings'
import { STANDARD_MX } from '../../src/formats/quantizer'
import { formatConditions, resultConditions } from '../../src/store/conditions'
import { result } from './fake-engine'

const of = (weightFormat: string | null, activationFormat: string | null, outputFormat: string | null = null) => ({
  ...settingOf({ weightFormat, activationFormat, outputFormat }),
  headDim: null,
})

describe('the conditions of a number', () => {
  it('name formats with their options, rules, rounding and pre-scale', () => {
    const choices = {
      ...STANDARD_MX,
      scaleRule: 'rceil' as const,
      preScale: { factor: 0.9, variant: 'literal' as const },
    }
    expect(formatConditions(of('mxfp4', 'int8(group=128)'), choices)).toEqual([
      'W MXFP4, X INT8, group 128',
      'scale rule rceil',
      'rounding half to even',
      'pre-scale 0.9, literal',
    ])
  })

  it('name the block size where it is not the standard one, and an MX format has it', () => {
    const choices = { ...STANDARD_MX, blockSize: 64 }
    expect(formatConditions(of('mxfp4', null), choices)).toContain('blocks of 64 (non-standard)')
    expect(formatConditions(of('mxfp4', null), STANDARD_MX).join()).not.toContain('blocks of')
    expect(formatConditions(of('int4', 'nvfp4'), choices).join()).not.toContain('blocks of')
  })

  it('name no rule that reaches nothing', () => {
    expect(formatConditions(of('int4(scheme=asym)', 'bf16'), STANDARD_MX)).toEqual([
      'W INT4, asym, X BF16',
      'pre-scale off (no 4-bit MX operand)',
    ])
  })

  it('name the output and its heads', () => {
    const formats = { ...of('mxfp4', 'mxfp4', 'mxfp8_e4m3'), headDim: 96 }
    expect(formatConditions(formats, STANDARD_MX)[0]).toBe('W MXFP4, X MXFP4, Y MXFP8 E4M3 per head of 96 channels')
  })

  it('are those a result was computed under', () => {
    expect(resultConditions({ ...result('rtn'), blockSize: 16, preScale: null, preScaleVariant: null })).toEqual([
      'W MXFP4, X MXFP4',
      'scale rule floor (OCP)',
      'rounding half to even',
      'blocks of 16 (non-standard)',
      'pre-scale off',
    ])
  })

  it('of a result without an MX tensor leave out the choices it has not', () => {
    const none = { scaleRule: null, rounding: null, blockSize: null, preScale: null, preScaleVariant: null }
    expect(resultConditions({ ...result('rtn'), weightFormat: 'int4', activationFormat: 'nvfp4', ...none })).toEqual([
      'W INT4, X NVFP4',
      'pre-scale off (no 4-bit MX operand)',
    ])
  })
})

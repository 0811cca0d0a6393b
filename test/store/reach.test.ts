import { describe, expect, it } from 'vitest'
import { settingOf } from '../../src/experiment/settings'
import { mxObstacle, preScaleObstacle } from '../../src/store/reach'

const of = (weightFormat: string | null, activationFormat: string | null, outputFormat: string | null = null) =>
  settingOf({ weightFormat, activationFormat, outputFormat })

describe('what a choice reaches', () => {
  it('is any tensor with an MX format, for scale rule, rounding and block size', () => {
    expect(mxObstacle(of('int4', 'mxfp8_e5m2'))).toBeNull()
    expect(mxObstacle(of('int4', null, 'mxfp4'))).toBeNull()
    expect(mxObstacle(of('nvfp4', 'bf16'))).toBe('No tensor has an MX format.')
    expect(mxObstacle(of(null, null))).not.toBeNull()
  })

  it('is a tensor with a 4-bit MX format, for the pre-scale', () => {
    expect(preScaleObstacle(of('mxfp4', 'int8'), 'floor')).toBeNull()
    expect(preScaleObstacle(of('mxfp8_e4m3', null, 'mxfp4'), 'even')).toBeNull()
    expect(preScaleObstacle(of('nvfp4', 'int4'), 'floor')).toBe('No tensor has a 4-bit MX format.')
  })

  it('is nothing for the pre-scale under fp32 scales, and the reason is another', () => {
    expect(preScaleObstacle(of('mxfp4', 'mxfp4'), 'fp32')).toContain('With fp32 scales no element clips')
    expect(preScaleObstacle(of('mxfp8_e4m3', 'int8'), 'fp32')).toBe('No tensor has a 4-bit MX format.')
  })
})

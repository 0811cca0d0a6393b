import { describe, expect, test } from 'vitest'
import { KV_SETTINGS, parseSetting, quantizersOf, SETTINGS, settingOf } from '../../src/experiment/settings'

const choices = {
  scaleRule: 'floor',
  rounding: 'half-even',
  preScale: { factor: 0.75, variant: 'exact' },
  blockSize: 32,
} as const

describe('parseSetting', () => {
  test('knows the named settings, in any case', () => {
    for (const setting of [...SETTINGS, ...KV_SETTINGS]) expect(parseSetting(setting.id.toLowerCase())).toBe(setting)
    const [weightFormat, activationFormat] = ['mxfp4', 'mxfp8_e4m3']
    expect(parseSetting('W4A8')).toEqual({ id: 'W4A8', weightFormat, activationFormat, outputFormat: null })
    expect(parseSetting('W4A16')).toMatchObject({ weightFormat: 'mxfp4', activationFormat: null })
    expect(parseSetting('W4A8KV4')).toMatchObject({ weightFormat, activationFormat, outputFormat: 'mxfp4' })
    expect(parseSetting('W8A8KV8')).toMatchObject({ outputFormat: 'mxfp8_e4m3' })
  })

  test('reads formats, weights first and outputs last, and names those that have a name', () => {
    expect(parseSetting('mxfp6_e3m2/mxint8')).toEqual({
      id: 'mxfp6_e3m2/mxint8',
      weightFormat: 'mxfp6_e3m2',
      activationFormat: 'mxint8',
      outputFormat: null,
    })
    expect(parseSetting('16/mxfp4')).toMatchObject({ id: '16/mxfp4', weightFormat: null, activationFormat: 'mxfp4' })
    expect(parseSetting('mxfp4/16/nvfp4')).toMatchObject({ id: 'mxfp4/16/nvfp4', outputFormat: 'nvfp4' })
    expect(parseSetting('mxfp4/mxfp8_e4m3').id).toBe('W4A8')
    expect(parseSetting('mxfp4/16').id).toBe('W4A16')
    expect(parseSetting('mxfp4/mxfp8_e4m3/mxfp8_e4m3').id).toBe('W4A8KV8')
    expect(parseSetting('mxfp4/mxfp4/16').id).toBe('W4A4')
  })

  test('writes options in their canonical order, without defaults', () => {
    const { id, weightFormat } = parseSetting('int4( scheme=asym, group=128 )/nvfp4(four-over-six=off)')
    expect(weightFormat).toBe('int4(group=128,scheme=asym)')
    expect(id).toBe('int4(group=128,scheme=asym)/nvfp4')
    expect(parseSetting(id).id).toBe(id)
    expect(settingOf({ weightFormat, activationFormat: 'nvfp4', outputFormat: null }).id).toBe(id)
  })

  test('takes formats in capitals', () => {
    expect(parseSetting('NVFP4/Int4(group=128)').id).toBe('nvfp4/int4(group=128)')
    expect(parseSetting('MXFP4/mxfp4').id).toBe('W4A4')
  })

  test('says which parenthesis is missing', () => {
    for (const text of ['int4(group=128/int8', 'int4/int8 group=32)']) {
      expect(() => parseSetting(text)).toThrow(expect.objectContaining({ code: 'FM-02' }))
      expect(() => parseSetting(text)).toThrow(`"${text}": expected a ")" for every "("`)
    }
  })

  test('names the option a format does not have', () => {
    expect(() => parseSetting('int4(group=48)/16')).toThrow('int4.group: expected one of row, 32, 64, 128, found "48".')
    expect(() => parseSetting('mxfp4(group=32)/16')).toThrow('mxfp4.group: no such option')
  })

  test.each(['W5A5', '', 'mxfp4', 'mxfp4/mxfp4/mxfp4/mxfp4', 'mxfp4/fp9', 'W4A4/W4A4', 'MXFP4/MXFP9'])(
    'refuses "%s" and says what is valid',
    (text) => {
      expect(() => parseSetting(text)).toThrow(
        `setting "${text}": expected one of W8A8, W4A8, W4A4, W4A16, W8A8KV8, W4A8KV8, W4A8KV4, W4A4KV4, or ` +
          'weights/activations (and /outputs for the KV cache) of mxfp8_e4m3,',
      )
    },
  )
})

describe('quantizersOf', () => {
  test('gives the pre-scale to 4-bit MX formats only, and the block size to all MX formats', () => {
    const { weight, activation, output } = quantizersOf(parseSetting('W4A8KV4'), { ...choices, blockSize: 64 })
    expect(weight).toMatchObject({ format: { id: 'mxfp4' }, preScale: choices.preScale, blockSize: 64 })
    expect(activation).toMatchObject({ format: { id: 'mxfp8_e4m3' }, preScale: null, blockSize: 64 })
    expect(output).toEqual(weight)
    expect(quantizersOf(parseSetting('W4A8'), { ...choices, preScale: null }).weight).toMatchObject({ preScale: null })
  })

  test('leaves a tensor alone that is 16 or has no format', () => {
    expect(quantizersOf(parseSetting('W4A16'), choices)).toMatchObject({ activation: null, output: null })
  })

  test('refuses formats and choices that do not exist', () => {
    const setting = { id: 'x', weightFormat: 'fp3', activationFormat: null, outputFormat: null }
    expect(() => quantizersOf(setting, choices)).toThrow('found "fp3"')
    expect(() => quantizersOf(parseSetting('W4A4'), { ...choices, blockSize: 12 })).toThrow('found 12')
  })
})

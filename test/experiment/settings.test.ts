import { describe, expect, test } from 'vitest'
import { parseSetting, quantConfigOf, SETTINGS } from '../../src/experiment/settings'

const choices = { scaleRule: 'floor', rounding: 'half-even', preScale: 0.75 } as const

describe('parseSetting', () => {
  test('knows the named settings, in any case', () => {
    for (const setting of SETTINGS) expect(parseSetting(setting.id.toLowerCase())).toBe(setting)
    expect(parseSetting('W4A8')).toEqual({ id: 'W4A8', weightFormat: 'mxfp4', activationFormat: 'mxfp8_e4m3' })
    expect(parseSetting('W4A16')).toEqual({ id: 'W4A16', weightFormat: 'mxfp4', activationFormat: null })
  })

  test('reads pairs, weight first, and names those that have a name', () => {
    expect(parseSetting('mxfp6_e3m2/mxint8')).toEqual({
      id: 'mxfp6_e3m2/mxint8',
      weightFormat: 'mxfp6_e3m2',
      activationFormat: 'mxint8',
    })
    expect(parseSetting('16/mxfp4')).toEqual({ id: '16/mxfp4', weightFormat: null, activationFormat: 'mxfp4' })
    expect(parseSetting('mxfp4/mxfp8_e4m3').id).toBe('W4A8')
    expect(parseSetting('mxfp4/16').id).toBe('W4A16')
  })

  test.each(['W5A5', '', 'mxfp4', 'mxfp4/mxfp4/mxfp4', 'mxfp4/fp9', 'W4A4/W4A4', 'MXFP4/mxfp4'])(
    'refuses "%s" and says what is valid',
    (text) => {
      expect(() => parseSetting(text)).toThrow(
        `setting "${text}": expected one of W8A8, W4A8, W4A4, W4A16, or a pair weight/activations of mxfp8_e4m3,`,
      )
    },
  )
})

describe('quantConfigOf', () => {
  test('gives the pre-scale to 4-bit operands only', () => {
    const config = quantConfigOf(parseSetting('W4A8'), choices)
    expect(config.weight).toMatchObject({ format: { id: 'mxfp4' }, preScale: 0.75, scaleRule: 'floor' })
    expect(config.activation).toMatchObject({ format: { id: 'mxfp8_e4m3' }, preScale: null })
    expect(quantConfigOf(parseSetting('W4A8'), { ...choices, preScale: null }).weight?.preScale).toBeNull()
  })

  test('leaves a side alone that is 16', () => {
    expect(quantConfigOf(parseSetting('W4A16'), choices).activation).toBeNull()
  })

  test('refuses a format that does not exist', () => {
    const setting = { id: 'x', weightFormat: 'fp3', activationFormat: null }
    expect(() => quantConfigOf(setting, choices)).toThrow('found "fp3"')
  })
})

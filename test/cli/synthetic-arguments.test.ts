import { expect, test } from 'vitest'
import { parseCompare } from '../../src/cli/compare-arguments'
import { DEFAULT_SYNTHETIC } from '../../src/io/synthetic'

const layerOf = (...args: string[]) => parseCompare(['in', '--weight', 'w', '--synthetic', '--methods', 'rtn', ...args])

test('every control of the generator has an option', () => {
  const options = ['--norm-gain', 'auto', '--outlier-channels', '3', '--outlier-gain', '7.5', '--tail', '4']
  const { activations } = layerOf(...options, '--channel-correlation', '0.5', '--massive', '2x500', '--seed', '9')
  const massive = { channels: 2, size: 500 }
  expect(activations).toEqual({
    kind: 'synthetic',
    gain: 'auto',
    spec: { tokens: 512, outlierChannels: 3, outlierGain: 7.5, tailDegrees: 4, correlation: 0.5, massive, seed: 9 },
  })
  expect(layerOf().activations).toEqual({ kind: 'synthetic', gain: null, spec: DEFAULT_SYNTHETIC })
})

test('--tokens is a number of rows, or the first row and the end', () => {
  const captured = (tokens: string) =>
    parseCompare(['in', '--weight', 'w', '--activations', 'x', '--methods', 'rtn', '--tokens', tokens])
  expect(captured('64')).toMatchObject({ firstToken: 0, tokens: 64 })
  expect(captured('128:192')).toMatchObject({ firstToken: 128, tokens: 64 })
  expect(() => captured('192:128')).toThrow('--tokens: expected the first row before the end, found "192:128"')
  expect(() => captured('a:b')).toThrow('--tokens: expected a whole number')
  expect(() => layerOf('--tokens', '8:16')).toThrow('--tokens 8:16: expected a number of rows with --synthetic')
})

test('refuses a massive token that does not say channels and size', () => {
  expect(() => layerOf('--massive', '500')).toThrow('--massive: expected channels and size such as 2x500, found "500"')
})

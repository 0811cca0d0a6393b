import { describe, expect, it } from 'vitest'
import { headerHash } from '../../src/store/header-hash'
import { byteText, searchRows, shapeText, tensorRows } from '../../src/store/tensor-rows'
import { tensor } from './fake-engine'

const file = {
  id: 'f',
  name: 'f.safetensors',
  byteLength: 1,
  metadata: {},
  builtIn: null,
  headerHash: '',
  tensors: [
    tensor('layers.10.q_proj.weight', [64, 64]),
    tensor('layers.9.q_proj.weight', [64, 64]),
    tensor('norm.weight', [64]),
    tensor('ids', [4, 64], 'I64'),
  ],
}

describe('the tensor list', () => {
  it('orders numbers in names as numbers', () => {
    expect(tensorRows([file]).map((row) => row.tensor)).toEqual([
      'ids',
      'layers.9.q_proj.weight',
      'layers.10.q_proj.weight',
      'norm.weight',
    ])
  })

  it('says why a tensor cannot be a weight', () => {
    const obstacles = Object.fromEntries(tensorRows([file]).map((row) => [row.tensor, row.obstacle]))
    expect(obstacles['norm.weight']).toBe('1 dimensions instead of 2')
    expect(obstacles.ids).toContain('I64')
    expect(obstacles['layers.9.q_proj.weight']).toBeNull()
  })

  it('finds names by all words, whatever their case', () => {
    expect(searchRows(tensorRows([file]), ' Q_PROJ 10').map((row) => row.tensor)).toEqual(['layers.10.q_proj.weight'])
  })

  it('writes shapes and sizes', () => {
    expect([shapeText([4096, 64]), shapeText([])]).toEqual(['4096 × 64', 'scalar'])
    expect([0, 999, 1000, 9_940, 33_554_432, 9_060_000_000].map(byteText)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '9.9 kB',
      '34 MB',
      '9.1 GB',
    ])
  })
})

describe('headerHash', () => {
  const safetensors = (header: string, rest = '') => {
    const length = new DataView(new ArrayBuffer(8))
    length.setBigUint64(0, BigInt(header.length), true)
    return new Blob([length.buffer, header, rest])
  }

  it('is the digest of the header alone', async () => {
    // printf '{}' | sha256sum
    expect(await headerHash(safetensors('{}', 'values'))).toBe('44136fa355b3')
    expect(await headerHash(safetensors('{}', 'other'))).toBe('44136fa355b3')
  })

  it('is empty for a file without a header', async () => {
    expect(await headerHash(new Blob(['1234']))).toBe('')
  })
})

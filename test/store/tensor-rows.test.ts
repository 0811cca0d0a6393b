import { describe, expect, it } from 'vitest'
import { headerHash } from '../../src/store/header-hash'
import { byteText, nameParts, searchRows, shapeText, tensorLines, tensorRows } from '../../src/store/tensor-rows'
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

  it('names the files where there are several, each over its own tensors', () => {
    const twin = { ...file, id: 'g', name: 'g.safetensors' }
    const rows = searchRows(tensorRows([file, twin]), 'layers')
    const texts = (count: number) =>
      tensorLines(rows, count).map((line) => (line.kind === 'file' ? line.name : line.row.fileId))
    expect(texts(2)).toEqual(['f.safetensors', 'f', 'f', 'g.safetensors', 'g', 'g'])
    expect(texts(1)).toEqual(['f', 'f', 'g', 'g'])
  })

  it.each([
    ['model.layers.2.self_attn.q_proj.weight', ['model.', 'layers.2.', 'self_attn.', 'q_proj.weight']],
    ['h.0.attn.c_attn.weight', ['', 'h.0.', 'attn.', 'c_attn.weight']],
    ['layers.2.weight', ['', '', 'layers.', '2.weight']],
    ['model.embed_tokens.weight', ['', '', 'model.', 'embed_tokens.weight']],
    ['x', ['', '', '', 'x']],
  ])('cuts %s between its layer number and its end', (name, parts) => {
    const { before, block, middle, end } = nameParts(name)
    expect([before, block, middle, end]).toEqual(parts)
    expect(before + block + middle + end).toBe(name)
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

import { describe, expect, it } from 'vitest'
import { HEAD_GUESS, headDimOf, looksLikeKeyOrValue, possibleHeadDims } from '../../src/experiment/kv-cache'

describe('a weight whose output the key-value cache stores', () => {
  it.each([
    'model.layers.8.self_attn.k_proj.weight',
    'model.layers.8.self_attn.v_proj.weight',
    'layers.0.attention.wk.weight',
    'layers.0.attention.wv',
    'encoder.layer.0.attention.self.key.weight',
    'bert/attention/value/kernel',
    'transformer.attn.to_k.weight',
    'blk.3.attn_v.weight',
    'block_0_k_proj.weight',
    'decoder.value_proj.weight',
  ])('is told by its name: %s', (name) => {
    expect(looksLikeKeyOrValue(name)).toBe(true)
  })

  it.each([
    'model.layers.8.self_attn.q_proj.weight',
    'model.layers.8.self_attn.o_proj.weight',
    'h.0.attn.c_attn.weight',
    'mlp.up_proj.weight',
    'monkey.weight',
    'layers.0.attention.wq.weight',
    'keypoint.head.weight',
  ])('is not meant by %s', (name) => {
    expect(looksLikeKeyOrValue(name)).toBe(false)
  })
})

describe('the channels of a head', () => {
  it('are assumed as the words for it say', () => {
    expect([256, 192, 96].map((outDim) => headDimOf(outDim, null))).toEqual([128, 64, 96])
    expect(HEAD_GUESS).toBe('128 where it divides the output, else 64, else the whole row')
  })

  it('are a multiple of 32 that divides the output, or all of it', () => {
    expect(possibleHeadDims(192)).toEqual([32, 64, 96, 192])
    expect(possibleHeadDims(48)).toEqual([48])
    expect(possibleHeadDims(160)).toEqual([32, 160])
  })
})

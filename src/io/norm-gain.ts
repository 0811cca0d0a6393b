/** Which norm feeds a projection, by the names decoder checkpoints use; nothing is read. */
import type { TensorView } from './tensor-view'

/** The gain of the norm before a layer. */
export interface NormGain {
  readonly tensor: TensorView
  /** Gemma stores w and multiplies by 1 + w. */
  readonly plusOne: boolean
}

/** Norm before the attention and before the feed-forward part, in the order they are looked for. */
const ATTENTION_NORMS = ['input_layernorm', 'attention_norm', 'self_attn_layer_norm', 'ln_attn', 'ln_1']
const FEED_FORWARD_NORMS = [
  'pre_feedforward_layernorm',
  'post_attention_layernorm',
  'ffn_norm',
  'final_layer_norm',
  'ln_mlp',
  'ln_2',
  // Blocks with parallel attention and feed-forward parts have one norm for both.
  ...['input_layernorm', 'ln_1'],
]

/** Projections that read the output of the norm; o, down and the like read something else. */
const READS_ATTENTION_NORM = /(^|[._/])(q_proj|k_proj|v_proj|qkv_proj|query_key_value|c_attn|wq|wk|wv|wqkv)([._/]|$)/i
const READS_FEED_FORWARD_NORM =
  /(^|[._/])(gate_proj|up_proj|gate_up_proj|dense_h_to_4h|c_fc|fc1|w1|w3|(mlp|block_sparse_moe)[._/](gate|router))([._/]|$)/i
const LAST_PROJECTION = /(^|[._/])(lm_head|embed_out)([._/]|$)/i
const FINAL_NORMS = [
  'model.norm',
  'norm',
  'gpt_neox.final_layer_norm',
  'transformer.ln_f',
  'model.decoder.final_layer_norm',
]

/** "model.layers.8." of "model.layers.8.self_attn.q_proj.weight": everything up to the number of the block. */
const BLOCK_PREFIX = /^(.*?(?:^|[._/])(?:layers|blocks|h|layer|block)[._/]\d+[._/])/i

/**
 * The norm whose output `weight` [out, in] reads, by name among `tensors`, or null: for projections that read no norm (o,
 * down), for names that say nothing, and where the checkpoint does not hold it.
 */
export function normGainOf(tensors: readonly TensorView[], weight: TensorView): NormGain | null {
  const width = weight.shape[weight.shape.length - 1]
  const prefix = BLOCK_PREFIX.exec(weight.name)?.[1] ?? null
  const find = (names: readonly string[]) => {
    for (const name of names) {
      const tensor = tensors.find((view) => view.name === `${name}.weight`)
      if (tensor && tensor.shape.length === 1 && tensor.shape[0] === width) return tensor
    }
    return null
  }
  const inBlock = (norms: readonly string[]) => (prefix === null ? null : find(norms.map((norm) => prefix + norm)))
  const tensor = READS_ATTENTION_NORM.test(weight.name)
    ? inBlock(ATTENTION_NORMS)
    : READS_FEED_FORWARD_NORM.test(weight.name)
      ? inBlock(FEED_FORWARD_NORMS)
      : LAST_PROJECTION.test(weight.name)
        ? find(FINAL_NORMS)
        : null
  return tensor && { tensor, plusOne: storesGainMinusOne(tensors, tensor.name) }
}

/**
 * True where the norm called `gain` multiplies by 1 + w: in blocks with the names only Gemma 2 and 3 have. Gemma 1 has
 * Llama's names and is not told apart.
 */
export function storesGainMinusOne(tensors: readonly TensorView[], gain: string): boolean {
  const prefix = BLOCK_PREFIX.exec(gain)?.[1] ?? ''
  return tensors.some(({ name }) => name.startsWith(prefix) && name.endsWith('post_feedforward_layernorm.weight'))
}

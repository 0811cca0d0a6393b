/** A layer that comes with the page: a safetensors file like any other, opened the same way. */
export interface BuiltInLayer {
  /** Stable: used in links. */
  readonly id: string
  readonly label: string
  /** Path below the page's own address. */
  readonly file: string
  /** Channels of one attention head in its projections; null where the layer belongs to no attention. */
  readonly headDim: number | null
  /** Where the numbers come from. */
  readonly provenance: string
  /** What one sees on it, and why it differs from the others. */
  readonly explains: string
}

const TRAINED =
  'Query projection of layer 2 of a Llama with 2.0 million parameters trained for this project on WikiText-2 ' +
  '(text: English Wikipedia, CC BY-SA 3.0), with the inputs it receives on 512 tokens of the WikiText-2 test text.'

/** Width 192 in 6 heads. */
const LLAMA_HEAD_DIM = 32

/**
 * The built-in layers in menu order; the first one opens cold. What they teach together: rotation hurts MXFP4 where
 * outlier channels meet small weight columns, and only there. Details: public/layers/README.md.
 */
export const BUILT_IN_LAYERS: readonly BuiltInLayer[] = [
  {
    id: 'llama-outliers',
    label: 'Llama layer with outlier channels',
    file: 'layers/wt2llama-outliers-L2-q_proj.safetensors',
    headDim: LLAMA_HEAD_DIM,
    provenance:
      `${TRAINED} Outlier channels were injected without changing what the model computes: norm gains were ` +
      'multiplied by a factor per channel and the weight columns that read them divided by it.',
    explains:
      'Outlier channels meet small weight columns, as in large language models. Blocks of 32 keep the outliers to ' +
      'themselves; rotation spreads them over every block, and mixes the small weight columns with the large ones. ' +
      'Under W4A4 with the defaults, rotation hurts here.',
  },
  {
    id: 'llama-as-trained',
    label: 'The same layer as trained',
    file: 'layers/wt2llama-L2-q_proj.safetensors',
    headDim: LLAMA_HEAD_DIM,
    provenance: `${TRAINED} Unchanged.`,
    explains:
      'The same function without the injected outliers: inputs are close to Gaussian and all weight columns are of ' +
      'similar size, so a rotation finds little to change. Under W4A4 with the defaults it does not hurt.',
  },
  {
    id: 'synthetic-outliers',
    label: 'Synthetic layer, outliers on ordinary columns',
    file: 'layers/synthetic-outliers.safetensors',
    headDim: null,
    provenance:
      'Seeded random numbers, no model: Gaussian weight [256, 256], 512 Gaussian tokens with 6 channels multiplied ' +
      'by 20. Written by scripts/make-synthetic-layer.mjs.',
    explains:
      'Outlier channels meet weight columns as large as all others, so their rounding errors dominate the output. ' +
      'Under W4A4 with the defaults, rotation spreads them out and helps: the opposite of the first layer.',
  },
]

import type { HelpEntry } from './entry'
import { FIGURES_PAGE, METHODS_PAGE, METRICS_PAGE, PAPER } from './sources'

/** Views that are more than one figure, and words that several of them use. */
export const VIEW_HELP: readonly HelpEntry[] = [
  {
    id: 'view.figure5',
    title: 'View: Figure 5',
    text: 'Histogram, magnitudes and channels of one tensor, a row per method on shared axes: the paper’s figure 5 for your layer. Choose activations, weight, output error or any matrix of the open files, after the transform or as the product sees it. What is not on screen yet is computed when it is asked for.',
    formula: 'x′ = transform(x);  x̂ = Q(clip(x′))',
    source: `${PAPER}, figure 5; ${FIGURES_PAGE}`,
  },
  {
    id: 'view.blocks',
    title: 'View: Blocks',
    text: 'The operands of the layer as they were read, block by block, down to single elements under two formats. Use it to see what exactly a block becomes, and what another scale rule or pre-scale would make of it. The open block is in the link.',
    formula: 'value = element × scale ÷ pre-scale',
    source: 'docs/block-inspector.md',
  },
  {
    id: 'view.scales',
    title: 'View: Scales',
    text: 'What the power-of-two scales cost: shared exponents, the share of the error owed to scales, sweeps over pre-scale and block size, clipped and zeroed elements. Opening it computes up to 19 products per method, rounding to nearest whatever decides the weights.',
    formula: 'e(w, x): the output error with W′ rounded by w and X′ by x',
    source: `${METRICS_PAGE}, "Error owed to scales"`,
  },
  {
    id: 'view.rotation',
    title: 'View: Rotation',
    text: 'Why a rotation can make INT4 better and MXFP4 worse: on a synthetic layer over outlier strength, and on the layer that is loaded. Its verdict is the mean over rotations of five seeds. Synthetic curves are one layer with one seed and move by some percent with another.',
    formula: 'verdict: error rotated / error as it is, above 1.02 hurts, below 0.98 helps',
    source: `docs/rotation.md; ${PAPER}`,
  },
  {
    id: 'view.sweeps',
    title: 'View: Sweeps',
    text: 'The output error over one parameter of the chosen methods, or over the calibration tokens. It is computed on request, value by value, and can be stopped; what is computed stays. Use it before trusting a default on your layer.',
    formula: 'SQNR(value), everything else as it is set',
    source: FIGURES_PAGE,
  },
  {
    id: 'view.formats',
    title: 'View: Formats',
    text: 'Number formats side by side on the number line, with the code, value and error of a number of your own. It needs no layer and no GPU. The scale rule, rounding and block size are those of the setting.',
    formula: 'x → code → value, in every row',
    source: 'docs/format-explorer.md',
  },
  {
    id: 'view.grid',
    title: 'View: Grid',
    text: 'The output SQNR of every transform with every mitigation under the setting on screen. It shows what a name adds to its parts, and which pairs nobody has named. Cells are computed on request; learned transforms take longest.',
    formula: 'SQNR(transform × mitigation)',
    source: METHODS_PAGE,
  },
  {
    id: 'view.findings',
    title: 'View: Findings',
    text: 'The paper’s takeaways as claims about this layer, each with its figure, its number and a verdict by a written rule: holds here, does not hold here, or cannot be told from this data. A layer’s output error is not a model’s accuracy, so a claim that fails here may hold for a model.',
    formula: 'the rule of each verdict stands on its card',
    source: PAPER,
  },
]

/** Ideas that several entries lean on. */
export const IDEA_HELP: readonly HelpEntry[] = [
  {
    id: 'outlier-channels',
    title: 'Outlier channels',
    text: 'A few channels of the activations of large models are tens of times larger than the others, in nearly every token. One scale for a whole row has to reach them and rounds the rest coarsely; a block format loses only the block they are in. In trained models they meet small weight columns.',
    formula: 'k: how many times larger than the others a strong channel is',
    source: 'SmoothQuant, arXiv 2211.10438; docs/rotation.md',
  },
  {
    id: 'rotation',
    title: 'Rotation',
    text: 'An orthogonal change of basis over the input channels of X and W. Without rounding the output stays the same. It makes all channels alike: a format with one scale per row gains a smaller maximum, a block format loses the small scales of its quiet blocks.',
    formula: 'X T (W T)ᵀ = X Wᵀ for T Tᵀ = I',
    source: `QuaRot, arXiv 2404.00456; ${PAPER}`,
  },
  {
    id: 'affine',
    title: 'Affine transform',
    text: 'An invertible change of basis that may stretch as well as rotate. It can lower outliers instead of spreading them, so it suits block formats too, and has to be learned or chosen from data. Its inverse goes into the weights.',
    formula: 'X A (W A⁻ᵀ)ᵀ = X Wᵀ',
    source: `FlatQuant, arXiv 2410.09426; ${PAPER}`,
  },
  {
    id: 'error-compensation',
    title: 'Error compensation',
    text: 'Choosing the weights’ codes so that their errors cancel in the output, instead of rounding each to nearest. It needs calibration rows, which tell how the channels go together, and costs nothing at inference.',
    formula: 'minimise ‖X′ (W′ − Ŵ)ᵀ‖² over representable Ŵ',
    source: `GPTQ, arXiv 2210.17323; ${PAPER}`,
  },
  {
    id: 'crest-factor',
    title: 'Crest factor',
    text: 'The largest magnitude over the root mean square of what shares a scale. It says how much of a format’s range the usual element leaves unused: the lower, the finer the steps for it. For Gaussian blocks of 32 it is a little above 2.',
    formula: 'max |x| / √(mean x²)',
    source: METRICS_PAGE,
  },
  {
    id: 'mismatch-index',
    title: 'Mismatch index',
    text: 'Whether large activations meet small weights: 1 where the two know nothing of each other, above 1 where they do. A rotation undoes such a match and lets noise into channels with large weights. It is rough, since it sees neither blocks nor tails.',
    formula: 'mean(E) mean(Ω) / mean(E Ω),  E_c = Σ x_c²,  Ω_c = Σ w_c²',
    source: `${METRICS_PAGE}, "Why a rotation hurts"`,
  },
  {
    id: 'closed-form',
    title: 'Closed form of a rotation',
    text: 'What any rotation of all channels should cost, known before one is run: the format’s noise on Gaussian data times how much of X and W cancels in the output. A rotation helps where the error without one is larger. A rule of thumb, off by a quarter on built-in layers.',
    formula: 'χ √(κ_W + κ_X + κ_W κ_X),  χ = ‖X‖ ‖W‖ / (√n ‖Y‖)',
    source: `${METRICS_PAGE}, "Why a rotation hurts"`,
  },
]

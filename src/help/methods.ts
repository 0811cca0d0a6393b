import type { HelpEntry } from './entry'
import { METHODS_PAGE, PAPER } from './sources'

/** Changes of basis, and the methods that are one of them followed by rounding to nearest. */
export const TRANSFORM_HELP: readonly HelpEntry[] = [
  {
    id: 'identity',
    title: 'No transform',
    text: 'Weights and activations keep their own channels. It is the first row of the method grid: what stands there is the work of the mitigation alone. It costs nothing at inference.',
    formula: 'X′ = X,  W′ = W',
    source: `the baseline of ${PAPER}`,
  },
  {
    id: 'smoothquant',
    title: 'SmoothQuant',
    text: 'Divides every channel of the activations by a scale and multiplies the weights by it, so that outliers move from the activations, where they are hard to round, into the weights. Use it where a few channels rule the activations; it changes little under block formats, which keep outliers to themselves. The scale folds into the gain of a preceding norm; for a lone layer it counts as one multiplication per channel and token. Ours keeps s = 1 for a channel no calibration row uses, where the published code takes 10⁻⁵.',
    formula: 's = max|x|^α / max|w|^(1−α) per channel,  X′ = X / s,  W′ = W · diag(s)',
    source: 'SmoothQuant, arXiv 2211.10438; mit-han-lab/smoothquant',
  },
  {
    id: 'awq',
    title: 'AWQ',
    text: 'Scales the weights of channels that the activations use much, so that they are rounded more finely. The strength r is searched on the rounded weight with the activations left alone, so on that objective it never loses to RTN; then blocks of weights are clipped where that lowers the output error. It suits settings that leave activations at 16 bits. Ours reads the errors from the Gram matrix XᵀX, and clips q and k projections too, which the published code does not: a switch turns that off.',
    formula:
      's = mean|x|^r / √(max s · min s),  r = 0, 1/20, … 19/20,  smallest ‖X Eᵀ‖² = Σ E H Eᵀ with E = W − Q(W s)/s, H = XᵀX',
    source: 'AWQ, arXiv 2306.00978; mit-han-lab/llm-awq, vllm-project/llm-compressor, ModelTC/LightCompress',
  },
  {
    id: 'quarot',
    title: 'QuaRot',
    text: 'Rotates weights and activations by a random Hadamard matrix, so that every channel becomes a mixture of all and no outlier stands out. It helps formats with one scale per row, such as INT4; with small blocks it can hurt, because blocks lose the freedom to have small scales. Nothing is learned. In a model most of the rotation folds into neighbouring weights; here, with one layer, it counts n log₂ n additions per token. Ours covers widths the published code refuses, and keeps rotated weights in f32 until they are quantized.',
    formula: 'T = diag(s) · Hₙ / √n with random signs s,  X′ = X T,  W′ = W T,  T Tᵀ = I',
    source: 'QuaRot, arXiv 2404.00456; spcl/QuaRot',
  },
  {
    id: 'spinquant',
    title: 'SpinQuant',
    text: 'Learns the rotation instead of drawing it: Cayley steps lower the output error of the rounded layer and keep the matrix orthogonal. The best rotation seen is kept, so it never ends above its start on the calibration rows. A lone layer pays n² multiply-adds per token; in a model the rotation folds away. The paper trains one rotation for the whole network by cross-entropy. Ours trains this layer on its own output error, which flatters it, and has no momentum, whose buffer the published code never updates.',
    formula: 'minimise ‖X̂ Ŵᵀ − Y‖² over R Rᵀ = I;  Ω = (RᵀG − GᵀR) / ‖E‖²,  R ← R · Cayley(−τ Ω)',
    source: 'SpinQuant, arXiv 2405.16406; the optimiser, arXiv 2002.01113',
  },
  {
    id: 'flatquant',
    title: 'FlatQuant',
    text: 'Learns a scale per channel and a small invertible map, a Kronecker product of two matrices, that make both sides easy to round, with learned clips. Being affine rather than orthogonal it can shrink outliers instead of spreading them. It costs n (a + b) multiply-adds per token and training time. The paper minimises the output error of a whole decoder block; ours minimises that of this one layer, which flatters it, and takes 120 steps at twice the published rates.',
    formula: 'X′ = (X · d)(P₁ ⊗ P₂),  W′ = (W / d)(P₁ ⊗ P₂)⁻ᵀ,  n = a · b',
    source: 'FlatQuant, arXiv 2410.09426; ruikangliu/FlatQuant',
  },
  {
    id: 'block-affine',
    title: 'Block affine',
    text: 'Learns one invertible matrix for every block of channels that share a scale, and a clip per block. Channels of different blocks are never mixed, so an outlier stays where it is. It has g parameters per channel, most of all methods, and overfits when there are few calibration rows; the result says so. The idea is that of a paper of which we have read the abstract only: start, rates and sizes are ours.',
    formula: 'X′ = X P,  W′ = W P⁻ᵀ,  P = diag(d) · R,  R block-diagonal with blocks of g',
    source: `the idea of BATQuant, arXiv 2603.16590 (abstract); ${METHODS_PAGE}`,
  },
  {
    id: 'block-hadamard',
    title: 'Block Hadamard',
    text: 'Rotates every block of channels by itself with a plain Hadamard matrix. It mixes only what shares a scale anyway, so outliers do not reach other blocks, and it costs log₂ g additions per channel and token. Nothing is random and nothing learned. The width must be a multiple of the block.',
    formula: 'T = I ⊗ H_g / √g,  X′ = X T,  W′ = W T',
    source: 'MR-GPTQ, arXiv 2509.23202; IST-DASLab/FP-Quant',
  },
  {
    id: 'scaled-hadamard',
    title: 'Scale + Hadamard',
    text: 'SmoothQuant’s scale with α = 0.3, then a Hadamard rotation. It is where FlatQuant’s training starts, without the training: the difference between the two is what learning gains on this layer. Ours, untrained and not published; it costs the additions of the rotation.',
    formula: 'X′ = (X / s) T,  W′ = W diag(s) T,  s = max|x|^α / max|w|^(1−α)',
    source: `ours; ${METHODS_PAGE}`,
  },
]

/** Ways to choose the representable weights, and methods with defaults of their own. */
export const MITIGATION_HELP: readonly HelpEntry[] = [
  {
    id: 'rtn',
    title: 'RTN, round to nearest',
    text: 'Rounds weights and activations as they are, each element to the nearest value its block can hold. It is the yardstick of every difference in decibels and is always computed. A method that needs calibration, training or extra work at inference has to beat it to be worth that.',
    formula: 'Ŵ = Q(W),  X̂ = Q(X),  Ŷ = X̂ Ŵᵀ',
    source: `the baseline of ${PAPER}; conversion as each number format defines it`,
  },
  {
    id: 'round-to-nearest',
    title: 'Rounding to nearest',
    text: 'The first column of the method grid: after the transform and its clips every weight becomes the nearest value of its own block. Activations are rounded like this whatever decides the weights. It needs no calibration and costs nothing at inference.',
    formula: 'Ŵ = Q(W′)',
    source: `conversion as each number format defines it (docs/formats.md)`,
  },
  {
    id: 'gptq',
    title: 'GPTQ',
    text: 'Rounds column after column and takes what each column loses out of the later ones, as far as the calibration rows show how they go together. Use it when the weights are the problem; it needs several rows per channel, and below eight the result says so. Nothing is added at inference: the weights are ordinary codes. In ours block scales come from weights that are really up to date, and dead channels keep their weights instead of becoming zero.',
    formula: 'dᵢ = (wᵢ − qᵢ) / Uᵢᵢ,  wⱼ ← wⱼ − dᵢ Uᵢⱼ for j > i,  H⁻¹ = UᵀU,  H = X′ᵀX′ + λ · mean(diag) · I',
    source: 'GPTQ, arXiv 2210.17323; IST-DASLab/gptq',
  },
  {
    id: 'gptq-best',
    title: 'GPTQ (best)',
    text: 'GPTQ with the columns of the largest activations first, and with each block’s exponent chosen among four by its squared error. It is our best setting of GPTQ under block formats, named so that it is not taken for the published one. It takes a little longer than plain GPTQ and costs nothing at inference.',
    formula: 'order by falling Hⱼⱼ;  exponent = argmin over e − 2 … e + 1 of Σ (w − q)²',
    source: `ours, over GPTQ, arXiv 2210.17323; ${METHODS_PAGE}`,
  },
  {
    id: 'mr-gptq',
    title: 'MR-GPTQ',
    text: 'A Hadamard rotation inside every scale block, then GPTQ in activation order with the scales its authors’ observer chooses: the setting of their MXFP4 checkpoints. The observer has the 3/4 pre-scale built in; without a pre-scale it raises the error of plain layers, and searched scales are better in most cells. The rotation costs log₂ g additions per channel and token.',
    formula: 'X′ = X (I ⊗ H_g / √g);  shrink f = 1 − 0.8 i/100 with the smallest Σ |error|^2.4, exponent of f · max',
    source: 'MR-GPTQ, arXiv 2509.23202; IST-DASLab/FP-Quant',
  },
  {
    id: 'low-rank',
    title: 'Low rank',
    text: 'Adds a thin branch in BF16 beside the quantized product for what rounding the weights lost. With the exact weighting it is the smallest output error a branch of that rank can leave on the calibration rows. It costs r (in + out) multiply-adds per token and its bits count in the bits per element. LQER stores the branch in 8 bits and feeds it rounded activations; ours is BF16 and reads the activations before rounding, by default.',
    formula: 'Ŷ = X̂ Ŵᵀ + (X′ A) B,  A B = Eᵀ V Vᵀ,  V the r leading eigenvectors of E R Eᵀ,  E = W′ − Ŵ',
    source: 'LQER, arXiv 2402.02446; QERA, arXiv 2410.06040; SVDQuant, arXiv 2411.05007',
  },
  {
    id: 'gptq+low-rank',
    title: 'GPTQ + low rank',
    text: 'GPTQ with our best setting, then a low-rank branch for the weight error it left. The two overlap: GPTQ already removes what the calibration rows can explain, so the branch gains less than it does after rounding to nearest. It costs what the branch costs.',
    formula: 'Ŵ = GPTQ(W′),  Ŷ = X̂ Ŵᵀ + (X′ A) B with E = W′ − Ŵ',
    source: `GPTQ, arXiv 2210.17323, with QERA, arXiv 2410.06040; the pair is ours`,
  },
  {
    id: 'method-grid',
    title: 'Method, transform and mitigation',
    text: 'A method is a pair: a transform changes basis without changing the product, a mitigation decides which representable weights stand for the real ones. Names of papers are cells of that grid, and a star means that GPTQ follows. Everything is fitted on the calibration rows of one layer and measured on the evaluation rows. A cell without a paper’s name is a combination nobody has reported.',
    formula: 'X′ W′ᵀ = X Wᵀ in exact arithmetic;  Ŷ = Q(X′) · mitigate(W′)ᵀ',
    source: `${PAPER}; ${METHODS_PAGE}`,
  },
]

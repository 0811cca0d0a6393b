import type { HelpEntry } from './entry'
import { ACTIVATIONS_PAGE, FORMATS_PAGE, METHODS_PAGE, METRICS_PAGE, PAPER } from './sources'

/** What is rounded to what: the settings with a name, and the controls that are no format. */
export const SETTING_HELP: readonly HelpEntry[] = [
  {
    id: 'setting',
    title: 'Setting',
    text: 'Which number formats stand for weights and activations, written W and A with their bits: 4 is MXFP4, 8 is MXFP8 E4M3, 16 is left as loaded. Any other pair of formats is a custom setting. Lower bits of activations hurt most, since activations have the outliers.',
    formula: 'Ŷ = Q_A(X′) · Q_W(W′)ᵀ',
    source: `${PAPER}; ${FORMATS_PAGE}`,
  },
  {
    id: 'w8a8',
    title: 'W8A8',
    text: 'MXFP8 for weights and activations. The paper finds it near-lossless for whole models, and methods differ little there: when RTN is good enough, nothing else is needed. It halves memory against BF16.',
    formula: '8.25 bits per element of W and of X',
    source: `${PAPER}, table 1`,
  },
  {
    id: 'w4a8',
    title: 'W4A8',
    text: 'MXFP4 weights with MXFP8 activations. The weights make nearly all of the error, so methods that work on weights, such as GPTQ, decide. A usual choice where four-bit products are not in hardware.',
    formula: '4.25 bits per element of W, 8.25 of X',
    source: `${PAPER}, table 1`,
  },
  {
    id: 'w4a4',
    title: 'W4A4',
    text: 'MXFP4 for both sides, the setting where methods differ most and the page’s default. Four-bit products run at the highest rate hardware has. The paper’s rows use the pre-scale of 3/4.',
    formula: '4.25 bits per element of W and of X',
    source: `${PAPER}, tables 1 and 6`,
  },
  {
    id: 'w4a16',
    title: 'W4A16',
    text: 'MXFP4 weights, activations left as loaded: the weight-only setting of memory-bound serving. Every error is the weights’. Methods that smooth activations have little to do here.',
    formula: 'Ŷ = X′ · Q_W(W′)ᵀ',
    source: `${PAPER}; AWQ, arXiv 2306.00978`,
  },
  {
    id: 'kv-cache',
    title: 'Output format, KV cache',
    text: 'Settings with KV quantize the output as well, as a cache of keys and values stores it: W4A8KV8 adds MXFP8. They are offered for key and value projections; on another layer they are arithmetic without a cache behind it. Blocks begin anew at every attention head.',
    formula: 'Ŷ ← Q_KV(Ŷ), along the channels of each head',
    source: `${PAPER}; ${METRICS_PAGE}, "A quantized output"`,
  },
  {
    id: 'head-size',
    title: 'Head size',
    text: 'Channels of one attention head. It decides where blocks of a quantized output begin, and what a rotation of heads mixes. It cannot be read off a tensor: built-in layers know theirs, elsewhere 128 is assumed where it divides the output, else 64, else all of it. Change it when the notes of a result name a wrong one.',
    formula: null,
    source: `${METRICS_PAGE}, "A quantized output"`,
  },
  {
    id: 'seed',
    title: 'Seed',
    text: 'The start of every random choice: signs of rotations, starting matrices, synthetic activations. The same seed gives the same numbers, in the page and headless. Change it to see how much of a difference is chance: another rotation moves the result by about 0.3 dB.',
    formula: 'xoshiro128** seeded by splitmix32',
    source: 'src/core/random.ts',
  },
  {
    id: 'method-preset',
    title: 'Preset of methods',
    text: 'A named choice of methods for one question, such as rotation against affine transforms. Choosing one replaces the methods shown and keeps their options. RTN is computed in any case, as the baseline. All of the paper takes longest, because three kinds of methods learn.',
    formula: null,
    source: `${PAPER}, table 1 (All of the paper)`,
  },
]

/** What a layer is fed, and which rows measure it. */
export const ACTIVATION_HELP: readonly HelpEntry[] = [
  {
    id: 'activations',
    title: 'Where activations come from',
    text: 'A layer’s error depends on what it is fed, so every result says where its activations came from. Captured rows are from a model; rows from the norm gain or synthetic ones are random numbers shaped like some. Draw conclusions about a model from captured rows only.',
    formula: 'Y = X Wᵀ,  X [tokens, in]',
    source: ACTIVATIONS_PAGE,
  },
  {
    id: 'activations.captured',
    title: 'Captured activations',
    text: 'A tensor recorded from a model, with the weight’s input dimension on its last axis, in the same file or another open one. It is found by name and width. Use it whenever you can: outlier channels of trained models meet small weight columns, which no generator here imitates.',
    formula: null,
    source: `${ACTIVATIONS_PAGE}; docs/capture.md`,
  },
  {
    id: 'activations.norm',
    title: 'Activations from the norm',
    text: 'Seeded random rows times the gain of the norm before the layer, which the checkpoint holds. It puts the outlier channels where the model has them, without running it. The values around them are still random, and a bias of the norm is left out.',
    formula: 'x = z / rms(z) · gain',
    source: ACTIVATIONS_PAGE,
  },
  {
    id: 'activations.synthetic',
    title: 'Synthetic activations',
    text: 'Seeded random rows with controls for tokens, outliers, tails and correlation. Outliers drawn like this know nothing of the weight, and rotation helps on them where it hurts on a trained layer. Use them to study one property at a time.',
    formula: 'z ~ N(0, 1),  x = z / rms(z), outlier channels times their gain',
    source: ACTIVATIONS_PAGE,
  },
  {
    id: 'synthetic.tokens',
    title: 'Synthetic: tokens',
    text: 'How many rows are generated, calibration and evaluation together. Methods that learn or compensate want several rows per channel. More rows take more memory and time.',
    formula: 'rows = tokens, 1 … 8192',
    source: ACTIVATIONS_PAGE,
  },
  {
    id: 'synthetic.outliers',
    title: 'Synthetic: outlier channels and gain',
    text: 'How many channels are multiplied, and by what: those of the largest norm gain, else chosen by the seed. Raise the gain to see when rotation stops helping. Six channels contain the five of the same seed, so one control moves at a time.',
    formula: 'x_c ← gain · x_c for the outlier channels c',
    source: ACTIVATIONS_PAGE,
  },
  {
    id: 'synthetic.tail',
    title: 'Synthetic: tail weight',
    text: 'Degrees of freedom of Student’s t: fewer are heavier tails, so single elements stand out without any channel doing so. Heavy tails are healed by rotation in MXFP4 and INT4 alike. Empty is Gaussian.',
    formula: 'z ~ t(ν),  ν = 2 … 100',
    source: ACTIVATIONS_PAGE,
  },
  {
    id: 'synthetic.correlation',
    title: 'Synthetic: correlation',
    text: 'How alike neighbouring channels are before the gains. GPTQ and low-rank branches live on such structure, and blocks of similar channels share a scale more easily.',
    formula: 'z_k = ρ z_(k−1) + √(1 − ρ²) e_k',
    source: ACTIVATIONS_PAGE,
  },
  {
    id: 'synthetic.massive',
    title: 'Synthetic: massive token',
    text: 'One token of which some channels are far above everything else, as attention sinks are. It shows what a scale per tensor or a rotation makes of a single row. Channels and size are fields of their own.',
    formula: '|x_c| = size · rms(row) for the chosen channels c of one token',
    source: ACTIVATIONS_PAGE,
  },
  {
    id: 'rows',
    title: 'Rows used',
    text: 'Which rows of a captured tensor take part: a first row, and how many from there on. The start of a text is often unlike the rest, so leave it out when its first token rules everything. Fewer rows need less memory and time, and learned methods overfit sooner.',
    formula: null,
    source: `${ACTIVATIONS_PAGE}, "Calibration and evaluation rows"`,
  },
  {
    id: 'held-out',
    title: 'Held-out rows',
    text: 'The share of rows that methods never see. They are fitted on the first rows, errors are measured on the last ones. Zero measures on the calibration rows and says so: numbers then flatter what learns. Compare both errors to see overfitting.',
    formula: 'calibration: the first (1 − share) of the rows;  evaluation: the rest',
    source: `${ACTIVATIONS_PAGE}, "Calibration and evaluation rows"`,
  },
  {
    id: 'layer',
    title: 'Layer and weight',
    text: 'One linear layer: a weight with one row per output channel, and the activations that feed it. Only the header of a file and the chosen tensors are read, in this tab. A weight stored the other way round is recognised by its activations and turned.',
    formula: 'W [out, in],  X [tokens, in],  Y = X Wᵀ [tokens, out]',
    source: 'docs/files.md',
  },
]

/** What a sweep varies beside the numeric options of methods. */
export const SWEEP_HELP: readonly HelpEntry[] = [
  {
    id: 'sweep.tokens',
    title: 'Sweep: calibration tokens',
    text: 'The error over the number of calibration rows, the first ones of the split; evaluation rows stay the same. It shows how many rows a method needs: where the lines of calibration and evaluation meet, there are enough. Each value fits the method anew.',
    formula: '64, 128, 256 … all calibration rows',
    source: `${METHODS_PAGE}; src/experiment/sweep-parameters.ts`,
  },
]

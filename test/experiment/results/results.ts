import type { ResultsFile } from '../../../src/experiment/results/results-file'
import { parseSetting } from '../../../src/experiment/settings'
import { FAILURE, TWO_SETTINGS } from '../../figures/fixtures'

const POINT = { calibration: TWO_SETTINGS[0].calibration, evaluation: TWO_SETTINGS[0].evaluation, error: null }

/** A file of results with everything in it that one can have. */
export const RESULTS: Omit<ResultsFile, 'version'> = {
  adapter: { vendor: 'test', architecture: 'none', description: 'Test adapter', isSoftware: false },
  files: [{ name: 'a.safetensors', byteLength: 4096, headerHash: '0123456789ab', builtIn: null }],
  weight: { title: 'a.safetensors', tensor: 'q_proj.weight', shape: [64, 24], dtype: 'BF16' },
  layer: {
    name: 'q_proj',
    file: 'a.safetensors',
    outDim: 64,
    inDim: 24,
    calibrationTokens: 48,
    evaluationTokens: 16,
    sameRows: false,
    activations: { kind: 'captured', tensor: 'q_proj.input', file: 'a.safetensors' },
    notes: ['A note.'],
  },
  choices: {
    scaleRule: 'floor',
    rounding: 'half-even',
    preScale: { factor: 0.75, variant: 'exact' },
    blockSize: 32,
    seed: 7,
    headDim: null,
    heldOutShare: 0.25,
  },
  setting: parseSetting('W4A4'),
  methods: [
    { id: 'rtn', options: {}, hidden: false },
    { id: 'quarot', options: { signs: 'off' }, hidden: false },
    { id: 'flatquant', options: { steps: 10 }, hidden: true },
  ],
  outcomes: [...TWO_SETTINGS, FAILURE],
  sweeps: [
    { parameter: 'steps', method: 'flatquant', inUse: 120, values: [0, 60, 120], points: [{ value: 60, ...POINT }] },
  ],
  link: 'v=1&set=w4a4',
}

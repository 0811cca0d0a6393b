import type { Transform } from '../method'

/** No change of basis: weights and activations are quantized as they are. */
export const identity: Transform = {
  id: 'identity',
  label: 'No transform',
  source: 'baseline',
  options: [],
  fit: async ({ weight }) => ({
    weight,
    apply: (activations) => activations,
    online: [],
    clip: null,
    report: { notes: [], training: null, onlineOperations: 0, onlineBytes: 0 },
  }),
  dependsOn: async () => [],
  rotation: async () => ({
    rotate: (_recorder, _arena, matrix) => matrix,
    notes: [],
    onlineOperations: 0,
    onlineBytes: 0,
  }),
  memory: async () => ({
    fitting: 0,
    shared: [],
    kept: 0,
    applied: () => 0,
    clips: { weight: false, activations: false },
  }),
}

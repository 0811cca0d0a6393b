/** The tabs over the figures. `figure` is an id of the figure registry; a tile view draws it once per method. */
export interface View {
  readonly id: ViewId
  readonly label: string
  readonly figure: string
  readonly scope: 'tile' | 'panel'
  readonly help: string
}

export type ViewId = 'distribution' | 'surface' | 'channels' | 'error' | 'training'

export const VIEWS: readonly View[] = [
  {
    id: 'distribution',
    label: 'Distribution',
    figure: 'distribution',
    scope: 'tile',
    help: 'Histogram of the activations each method quantizes, after its transform and before rounding. Axes are shared.',
  },
  {
    id: 'surface',
    label: 'Surface',
    figure: 'magnitude-map',
    scope: 'tile',
    help: 'Magnitude of the transformed activations by token and channel: where outliers live. Colour range is shared.',
  },
  {
    id: 'channels',
    label: 'Channels',
    figure: 'envelope',
    scope: 'tile',
    help: 'Largest and root-mean-square magnitude of every channel after the transform. Axes are shared.',
  },
  {
    id: 'error',
    label: 'Error',
    figure: 'error-curve',
    scope: 'panel',
    help: 'Output error of every method under W8A8, W4A8, W4A4 and W4A16. Opening this view computes the missing ones.',
  },
  {
    id: 'training',
    label: 'Training',
    figure: 'training',
    scope: 'panel',
    help: 'Loss of the learned methods over their steps, on the calibration rows.',
  },
]

export const DEFAULT_VIEW: ViewId = 'distribution'

/** The view of that id. Unknown ids give the first view. */
export function viewById(id: string): View {
  return VIEWS.find((view) => view.id === id) ?? VIEWS[0]
}

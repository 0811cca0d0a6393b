/**
 * The tabs over the figures. A tile view draws its figure once per method, a panel view once for all; the figure is an id
 * of the figure registry. A custom view has a component of its own (ui/main/custom-views.ts).
 */
interface ViewFacts {
  readonly id: ViewId
  readonly label: string
  readonly help: string
}

export interface FigureView extends ViewFacts {
  readonly scope: 'tile' | 'panel'
  readonly figure: string
}

export interface CustomView extends ViewFacts {
  readonly id: CustomViewId
  readonly scope: 'custom'
}

export type View = FigureView | CustomView

export type CustomViewId = 'figure5' | 'blocks' | 'scales' | 'rotation' | 'sweeps' | 'formats'
export type ViewId = 'distribution' | 'surface' | 'channels' | 'error' | 'training' | CustomViewId

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
    id: 'figure5',
    label: 'Figure 5',
    scope: 'custom',
    help: 'Histogram, magnitudes and channels of one tensor, as loaded and after every method, row by row on shared axes.',
  },
  {
    id: 'blocks',
    label: 'Blocks',
    scope: 'custom',
    help: 'Blocks of the quantized operands: their scales, their codes and their errors, down to single elements.',
  },
  {
    id: 'scales',
    label: 'Scales',
    scope: 'custom',
    help: 'Shared exponents, clipping, and the output error over pre-scale and block size. Opening this view computes them.',
  },
  {
    id: 'rotation',
    label: 'Rotation',
    scope: 'custom',
    help: 'Why a rotation helps INT4 and hurts MXFP4: errors over outlier strength, and where they come from on this layer.',
  },
  {
    id: 'sweeps',
    label: 'Sweeps',
    scope: 'custom',
    help: 'Output error over one parameter of the chosen methods, on evaluation and calibration rows, computed on request.',
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
  {
    id: 'formats',
    label: 'Formats',
    scope: 'custom',
    help: 'Every number format on a line: the values it has, and what becomes of a number or a block of your own.',
  },
]

export const DEFAULT_VIEW: ViewId = 'distribution'

/** The view of that id. Unknown ids give the first view. */
export function viewById(id: string): View {
  return VIEWS.find((view) => view.id === id) ?? VIEWS[0]
}

/**
 * The tabs over the figures. A tile view draws its figure once per method, a panel view once for all; the figure is an id
 * of the figure registry. A custom view has a component of its own (ui/main/custom-views.ts).
 */
interface ViewFacts {
  readonly id: ViewId
  readonly group: ViewGroup
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

/** What the tabs are grouped by, in this order. */
export const VIEW_GROUPS = ['Activations', 'Blocks', 'Error', 'Why'] as const
export type ViewGroup = (typeof VIEW_GROUPS)[number]

export type CustomViewId = 'figure5' | 'blocks' | 'scales' | 'rotation' | 'sweeps' | 'formats' | 'grid' | 'findings'
export type ViewId = 'distribution' | 'surface' | 'channels' | 'error' | 'training' | CustomViewId

export const VIEWS: readonly View[] = [
  {
    id: 'distribution',
    group: 'Activations',
    label: 'Distribution',
    figure: 'distribution',
    scope: 'tile',
    help: "Histogram of the activations each method quantizes, after its transform and before rounding. Axes are shared or each tile's own.",
  },
  {
    id: 'surface',
    group: 'Activations',
    label: 'Surface',
    figure: 'magnitude-map',
    scope: 'tile',
    help: 'Magnitude of the transformed activations by token and channel: where outliers live. Colour range is shared.',
  },
  {
    id: 'channels',
    group: 'Activations',
    label: 'Channels',
    figure: 'envelope',
    scope: 'tile',
    help: 'Largest and root-mean-square magnitude of every channel after the transform. Axes are shared.',
  },
  {
    id: 'figure5',
    group: 'Activations',
    label: 'Figure 5',
    scope: 'custom',
    help: 'Histogram, magnitudes and channels of one tensor, as loaded and after every method, row by row on shared axes.',
  },
  {
    id: 'blocks',
    group: 'Blocks',
    label: 'Blocks',
    scope: 'custom',
    help: 'Blocks of the quantized operands: their scales, their codes and their errors, down to single elements.',
  },
  {
    id: 'scales',
    group: 'Blocks',
    label: 'Scales',
    scope: 'custom',
    help: 'Shared exponents, clipping, and the output error over pre-scale and block size. Opening this view computes them.',
  },
  {
    id: 'formats',
    group: 'Blocks',
    label: 'Formats',
    scope: 'custom',
    help: 'Every number format on a line: the values it has, and what becomes of a number or a block of your own.',
  },
  {
    id: 'error',
    group: 'Error',
    label: 'Error',
    figure: 'error-curve',
    scope: 'panel',
    help: 'Output error of every method under W8A8, W4A8, W4A4 and W4A16. Opening this view computes the missing ones.',
  },
  {
    id: 'grid',
    group: 'Error',
    label: 'Grid',
    scope: 'custom',
    help: 'Output SQNR of every transform with every mitigation under the setting on screen, computed on request.',
  },
  {
    id: 'sweeps',
    group: 'Error',
    label: 'Sweeps',
    scope: 'custom',
    help: 'Output error over one parameter of the chosen methods, on evaluation and calibration rows, computed on request.',
  },
  {
    id: 'training',
    group: 'Error',
    label: 'Training',
    figure: 'training',
    scope: 'panel',
    help: 'Loss of the learned methods over their steps, on the calibration rows.',
  },
  {
    id: 'rotation',
    group: 'Why',
    label: 'Rotation',
    scope: 'custom',
    help: 'Why a rotation helps INT4 and hurts MXFP4: errors over outlier strength, and where they come from on this layer.',
  },
  {
    id: 'findings',
    group: 'Why',
    label: 'Findings',
    scope: 'custom',
    help: "The paper's takeaways on this layer: each with its figure, its number and a verdict by a written rule.",
  },
]

export const DEFAULT_VIEW: ViewId = 'distribution'

/** The view of that id. Unknown ids give the first view. */
export function viewById(id: string): View {
  return VIEWS.find((view) => view.id === id) ?? VIEWS[0]
}

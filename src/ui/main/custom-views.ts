import { type ComponentType, lazy } from 'react'
import type { CustomViewId } from '../../store/views'

/**
 * What custom views draw below the tabs. A component reads the store itself and fills the area it is given. Each is
 * loaded when it is first opened, so that the first paint does not wait for it.
 */
export const CUSTOM_VIEWS: Readonly<Record<CustomViewId, ComponentType>> = {
  figure5: lazy(async () => ({ default: (await import('../figure5/Figure5View')).Figure5View })),
  blocks: lazy(async () => ({ default: (await import('../blocks/BlocksView')).BlocksView })),
  scales: lazy(async () => ({ default: (await import('../scales/ScalesView')).ScalesView })),
  rotation: lazy(async () => ({ default: (await import('../rotation/RotationView')).RotationView })),
  sweeps: lazy(async () => ({ default: (await import('../sweeps/SweepsView')).SweepsView })),
  grid: lazy(async () => ({ default: (await import('../grid/GridView')).GridView })),
  findings: lazy(async () => ({ default: (await import('../findings/FindingsView')).FindingsView })),
  formats: lazy(async () => ({ default: (await import('../formats/FormatsView')).FormatsView })),
}

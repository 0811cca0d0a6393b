/** What draws figures: loaded beside the drawing code, so that the first paint does not wait for it. */
import { deferred } from '../deferred'

export const TILE_FIGURE = deferred(async () => (await import('./TileFigureView')).TileFigureView)
export const PANEL = deferred(async () => (await import('./PanelView')).PanelView)

import { useSyncExternalStore } from 'react'
import { SURFACE_CAMERA, type SurfaceCamera } from '../../figures/surface'

/** The camera of all surfaces on the page: turning one turns all. */
let current: SurfaceCamera = SURFACE_CAMERA
const listeners = new Set<() => void>()

export function setSurfaceCamera(camera: SurfaceCamera): void {
  current = camera
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function useSurfaceCamera(): SurfaceCamera {
  return useSyncExternalStore(subscribe, () => current)
}

/** Height over which a landscape fills its frame; narrower frames need the eye farther off to keep the labels in. */
const LANDSCAPE = 1.4
const FARTHEST = 1.7

/** The factor on the eye's distance for a frame of `width` by `height` pixels. */
export function cameraFit(width: number, height: number): number {
  return width > 0 && height > 0 ? Math.min(Math.max((LANDSCAPE * height) / width, 1), FARTHEST) : 1
}

/** Height of the scene's box per height of a square frame, and where it ends: a tall frame has room for taller peaks. */
const BOX_HEIGHT = 1.3
const LOWEST_BOX = 0.75
const TALLEST_BOX = 1.9

/** Height of the scene's box in a frame of `width` by `height` pixels, in units of the scene. */
export function boxHeight(width: number, height: number): number {
  return width > 0 && height > 0
    ? Math.min(Math.max((BOX_HEIGHT * height) / width, LOWEST_BOX), TALLEST_BOX)
    : LOWEST_BOX
}

/** The camera with its eye `factor` times as far away. */
export function scaleCamera(camera: SurfaceCamera, factor: number): SurfaceCamera {
  const { eye } = camera
  return { ...camera, eye: { x: eye.x * factor, y: eye.y * factor, z: eye.z * factor } }
}

/** One step of the camera's eye on its sphere: angles in radians, distance as a factor. */
export interface CameraMove {
  readonly label: string
  readonly text: string
  readonly azimuth: number
  readonly elevation: number
  readonly distance: number
}

const STEP = Math.PI / 12

/** What a pointer does by dragging and scrolling, as buttons. */
export const CAMERA_MOVES: readonly CameraMove[] = [
  { label: 'Turn left', text: '←', azimuth: -STEP, elevation: 0, distance: 1 },
  { label: 'Turn right', text: '→', azimuth: STEP, elevation: 0, distance: 1 },
  { label: 'Look from higher', text: '↑', azimuth: 0, elevation: STEP, distance: 1 },
  { label: 'Look from lower', text: '↓', azimuth: 0, elevation: -STEP, distance: 1 },
  { label: 'Nearer', text: '+', azimuth: 0, elevation: 0, distance: 1 / 1.2 },
  { label: 'Farther', text: '−', azimuth: 0, elevation: 0, distance: 1.2 },
]

/** Straight down would leave the upward direction undefined. */
const HIGHEST = Math.PI / 2 - 0.05

/** The camera after a move; the point it looks at stays. */
export function moveCamera(camera: SurfaceCamera, move: CameraMove): SurfaceCamera {
  const { eye } = camera
  const radius = Math.hypot(eye.x, eye.y, eye.z) * move.distance
  const azimuth = Math.atan2(eye.y, eye.x) + move.azimuth
  const elevation = Math.asin(eye.z / Math.hypot(eye.x, eye.y, eye.z)) + move.elevation
  const height = Math.min(Math.max(elevation, 0), HIGHEST)
  const ground = radius * Math.cos(height)
  return {
    ...camera,
    eye: { x: ground * Math.cos(azimuth), y: ground * Math.sin(azimuth), z: radius * Math.sin(height) },
  }
}

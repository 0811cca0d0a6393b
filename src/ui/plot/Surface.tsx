import { useElementSize } from '@mantine/hooks'
import type { PlotlyHTMLElement, PlotRelayoutEvent } from 'plotly.js'
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import type { FigureSpec } from '../../figures/figure'
import type { SurfaceCamera } from '../../figures/surface'
import {
  boxHeight,
  CAMERA_MOVES,
  cameraFit,
  moveCamera,
  scaleCamera,
  setSurfaceCamera,
  useSurfaceCamera,
} from './camera'
import { claimLiveScene, hasWebGl } from './live-scene'
import { Plot } from './Plot'
import styles from './plot.module.css'
import { loadPlotlyWithSurface } from './plotly-loader'
import { useOnScreen, useShownFigure } from './shown-figures'
import { useStill } from './use-still'

export interface SurfaceProps {
  /** The surface. Keep the same object while nothing changed. */
  readonly figure: FigureSpec
  /** The same numbers as a heatmap, shown where there is no WebGL. */
  readonly flat: FigureSpec
  readonly title?: string
  readonly label: string
  readonly captionHidden?: boolean
  readonly enlarged?: boolean
  readonly children?: ReactNode
}

/** A surface: a still image until it is turned on, then the page's one live scene; the flat map without WebGL. */
export function Surface({ figure, flat, title, label, captionHidden, enlarged, children }: SurfaceProps) {
  const place = useRef<HTMLElement>(null)
  const camera = useSurfaceCamera()
  const { ref: stage, width, height } = useElementSize()
  const fit = cameraFit(width, height)
  const box = boxHeight(width, height)
  const seen = useMemo(() => framed(figure, scaleCamera(camera, fit), box), [figure, camera, fit, box])
  const onScreen = useOnScreen(seen)
  const [live, setLive] = useState(false)
  useShownFigure(place, hasWebGl() ? seen : null, { title, label, load: loadPlotlyWithSurface })
  useEffect(() => (live ? claimLiveScene(() => setLive(false)) : undefined), [live])

  if (!hasWebGl()) {
    return <FlatInstead figure={flat} title={title} label={label} captionHidden={captionHidden} note={NO_WEBGL} />
  }
  return (
    <figure className={styles.figure} data-enlarged={enlarged} ref={place}>
      <div className={styles.stage} ref={stage}>
        {live ? (
          <Plot
            figure={onScreen}
            isListed={false}
            label={label}
            captionHidden
            enlarged={enlarged}
            load={loadPlotlyWithSurface}
            onFirstDrawn={(host) => followCamera(host, fit)}
          />
        ) : (
          <Still figure={onScreen} flat={flat} label={label} width={Math.round(width)} height={Math.round(height)} />
        )}
      </div>
      <div className={styles.controls}>
        {live &&
          CAMERA_MOVES.map((move) => (
            <button
              key={move.label}
              type="button"
              aria-label={move.label}
              onClick={() => setSurfaceCamera(moveCamera(camera, move))}
            >
              {move.text}
            </button>
          ))}
        <button type="button" aria-pressed={live} onClick={() => setLive(!live)}>
          {live ? 'Keep this view' : 'Turn in 3-D'}
        </button>
      </div>
      <figcaption className={captionHidden ? styles.hidden : styles.caption}>{label}</figcaption>
      {children}
    </figure>
  )
}

const NO_WEBGL = 'Surfaces need WebGL, which this browser does not offer here. The map shows the same numbers.'

function framed({ data, layout }: FigureSpec, camera: SurfaceCamera, box: number): FigureSpec {
  const aspectratio = { x: 1, y: 1, ...layout.scene?.aspectratio, z: box }
  return { data, layout: { ...layout, scene: { ...layout.scene, camera, aspectratio } } }
}

/** Dragging the live scene moves the camera of all. `fit` is what the shared camera was multiplied by for this frame. */
function followCamera(host: HTMLElement, fit: number): void {
  const plot = host as PlotlyHTMLElement
  // The event has the camera; the layout Plotly writes it to may be one it was given earlier.
  plot.on('plotly_relayout', (event: PlotRelayoutEvent & { readonly 'scene.camera'?: SurfaceCamera }) => {
    const camera = event['scene.camera']
    if (camera) setSurfaceCamera(scaleCamera(structuredClone(camera), 1 / fit))
  })
}

interface StillProps {
  readonly figure: FigureSpec
  readonly flat: FigureSpec
  readonly label: string
  readonly width: number
  readonly height: number
}

function Still({ figure, flat, label, width, height }: StillProps) {
  const still = useStill(figure, { width, height })
  return (
    <div className={styles.still} data-still={still.kind}>
      {still.kind === 'image' && <img className={styles.still} src={still.url} alt="" />}
      {still.kind === 'failed' && (
        <FlatInstead
          figure={flat}
          isListed={false}
          label={label}
          captionHidden
          note={`The surface could not be drawn: ${still.message}`}
        />
      )}
    </div>
  )
}

interface FlatInsteadProps {
  readonly figure: FigureSpec
  readonly title?: string
  readonly isListed?: boolean
  readonly label: string
  readonly captionHidden?: boolean
  readonly note: string
}

function FlatInstead({ note, ...plot }: FlatInsteadProps) {
  return (
    <Plot {...plot}>
      <p className={styles.note}>{note}</p>
    </Plot>
  )
}

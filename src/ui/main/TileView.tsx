import { useHotkeys } from '@mantine/hooks'
import { type CSSProperties, useState } from 'react'
import { layerFacts, tiles } from '../../store/selectors'
import type { FigureView } from '../../store/views'
import { useApp } from '../use-app'
import { AxesSwitch } from './AxesSwitch'
import { ChannelField } from './ChannelField'
import { useFigureLook } from './figure-look'
import { SurfaceSwitch } from './SurfaceSwitch'
import { Tile } from './Tile'
import styles from './Tile.module.css'

/** One tile per shown method, all on the same axes; one of them may be enlarged to the whole area. */
export function TileView({ view }: { readonly view: FigureView }) {
  const ids = useApp((state) => tiles(state).map(({ method }) => method.id))
  const look = useFigureLook()
  const [enlarged, setEnlarged] = useState<string | null>(null)
  const large = enlarged !== null && ids.length > 1 && ids.includes(enlarged) ? enlarged : null
  useHotkeys(large === null ? [] : [['Escape', () => setEnlarged(null)]])
  return (
    <>
      <Options view={view} />
      <div
        className={styles.tiles}
        data-count={large === null ? ids.length : 1}
        style={{ '--count': ids.length } as CSSProperties}
      >
        {(large === null ? ids : [large]).map((id) => (
          <Tile
            key={id}
            id={id}
            view={view}
            look={look}
            enlarged={large === id || ids.length === 1}
            onEnlarge={ids.length === 1 ? null : () => setEnlarged(large === id ? null : id)}
          />
        ))}
      </div>
    </>
  )
}

/** What one can choose about the tiles of this view. */
function Options({ view: { id } }: { readonly view: FigureView }) {
  const channels = useApp((state) => layerFacts(state)?.inDim ?? null)
  if (id === 'distribution') return <AxesSwitch />
  return (
    <div className={styles.options}>
      {id === 'surface' && <SurfaceSwitch />}
      <div className={styles.channel}>
        <ChannelField hook="tile-channel" channels={channels} />
      </div>
    </div>
  )
}

import { useMemo } from 'react'
import type { ProfileSubject } from '../../experiment/profile-request'
import type { RowOptions } from '../../figures/figure5'
import { profileScales } from '../../figures/shared-scales'
import { chosenTensor, figure5Rows, loadedProfile, methodsApply } from '../../store/figure5'
import { noDevice } from '../../store/panel-state'
import { layerFacts } from '../../store/selectors'
import { useTheme } from '../main/figure-look'
import { PanelState, StatePanel } from '../PanelState'
import { useApp } from '../use-app'
import { Colours } from './Colours'
import { Figure5Controls } from './Figure5Controls'
import { Figure5Row } from './Figure5Row'
import styles from './figure5.module.css'

/** What the words of the figures are, by tensor. */
const WORDS: Readonly<Record<ProfileSubject, Pick<RowOptions, 'unit' | 'rowNoun' | 'beforeName'>>> = {
  activations: { unit: 'X', rowNoun: 'token', beforeName: 'X as loaded' },
  weight: { unit: 'W', rowNoun: 'output row', beforeName: 'W as loaded' },
  error: { unit: 'Y', rowNoun: 'token', beforeName: 'error of RTN' },
  tensor: { unit: 'T', rowNoun: 'row', beforeName: 'T as loaded' },
}

/** Figure 5 of the paper for one tensor: a row per method, the tensor as loaded above and behind them. */
export function Figure5View() {
  const rows = useApp(figure5Rows)
  const loaded = useApp(loadedProfile)
  const { subject, axes } = useApp((state) => state.figure5.look)
  const theme = useTheme()
  const scales = useMemo(() => {
    const live = rows.flatMap(({ status, profile, before }) => (status === 'live' ? [profile, before] : []))
    return profileScales([loaded, ...live].filter((profile) => profile !== null))
  }, [rows, loaded])
  const options = useMemo(() => ({ theme, scales, ...WORDS[subject] }), [theme, scales, subject])
  const ownAxes = axes === 'own'
  const first = loaded ?? rows.find(({ profile }) => profile !== null)?.profile ?? null
  return (
    <div className={styles.view} data-test="panel-figure5">
      <Figure5Controls channels={first?.channelMax.length ?? null} />
      {first && <Heads options={options} ownAxes={ownAxes} />}
      {loaded && (
        <Figure5Row
          method={null}
          status="live"
          profile={loaded}
          before={null}
          mixes={false}
          text={null}
          options={options}
          ownAxes={ownAxes}
        />
      )}
      {rows.map((row) => (
        <Figure5Row key={row.method} {...row} options={options} ownAxes={ownAxes || row.status === 'stale'} />
      ))}
      <Remark isEmpty={first === null && rows.length === 0} />
    </div>
  )
}

/** What the columns show, and the colours they share. Stays in sight while the rows scroll. */
function Heads({ options, ownAxes }: { readonly options: RowOptions; readonly ownAxes: boolean }) {
  const order = useApp((state) => state.figure5.look.order)
  const { unit, beforeName } = options
  return (
    <div className={styles.heads} aria-hidden>
      <span>dotted: {beforeName}</span>
      <span>Histogram: elements over value</span>
      <span>
        |x| [unit of {unit}], log {!ownAxes && <Colours range={options.scales.cells} />}
      </span>
      <span>{order === 'norm' ? 'Flatness: rms of channels, sorted' : 'Channels: upper line maximum, lower rms'}</span>
    </div>
  )
}

/** Why there is nothing, or nothing more, to see. */
function Remark({ isEmpty }: { readonly isEmpty: boolean }) {
  const missing = useApp(noDevice)
  const applies = useApp(methodsApply)
  const chosen = useApp((state) => chosenTensor(state)?.tensor ?? null)
  const shape = useApp((state) => chosenTensor(state)?.view.shape ?? null)
  const subject = useApp((state) => state.figure5.look.subject)
  const inDim = useApp((state) => layerFacts(state)?.inDim)
  const why = shape?.[1] === inDim ? 'by its name it is a parameter' : `the layer's input is ${inDim} channels wide`
  if (subject === 'tensor' && chosen === null) {
    return <PanelState kind="empty" title="No tensor is chosen" text="Choose a matrix of the open files by its name." />
  }
  if (subject === 'tensor' && applies === false) {
    return (
      <p className={styles.remark} data-test="figure5-alone">
        No method changes {chosen} [{shape?.join(' × ')}]: {why}. It is shown as loaded.
      </p>
    )
  }
  if (!isEmpty) return null
  if (missing) return <StatePanel state={missing} />
  return (
    <PanelState kind="working" title="Reading the tensor" text="Its figures come first, then those of the methods." />
  )
}

import { chosenStack, visibleFiles } from '../../store/selection'
import { NumberField } from '../NumberField'
import { useActions, useApp } from '../use-app'

/** Which matrix of a stack is the weight; nothing where the weight is a matrix of its own. */
export function SliceField() {
  const weight = useApp((state) => state.source.weight)
  const count = useApp((state) => chosenStack(visibleFiles(state.source), state.source.weight))
  const { chooseWeight } = useActions()
  if (weight === null || count === null) return null
  return (
    <NumberField
      label="Matrix"
      help="Which matrix of a stack [n, out, in] is compared: models with experts store them so."
      unit={`of ${count.toLocaleString('en-US')}`}
      value={weight.slice ?? 0}
      min={0}
      max={count - 1}
      hook="source-slice"
      onChange={(slice) => slice !== null && chooseWeight({ ...weight, slice })}
    />
  )
}

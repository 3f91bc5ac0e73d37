/* Reports before the upload what the server would report after it: that a file is too large, or that there are too many. */

const input = document.querySelector('input[type=file]');
const problem = document.querySelector('.problem');

input.addEventListener('change', () => {
  const { largest, most, rule } = input.dataset;
  const isTooMuch = input.files.length > Number(most) || [...input.files].some((file) => file.size > Number(largest));
  input.setCustomValidity(isTooMuch ? rule : '');
  problem.textContent = isTooMuch ? `That is too much. ${rule}` : '';
});
